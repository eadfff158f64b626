/** Calls one function of scripts/lib, as the scripts do. */
import { spawnSync } from 'node:child_process';
import { ROOT } from '../structure/tree.js';

const PARTS = ['common', 'apt', 'kernels', 'guests', 'outcome'];
const SOURCE = PARTS.map((part) => `source scripts/lib/${part}.sh`).join('; ');

export interface Answer {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly said: string;
}

/** `words` are the function and its arguments; `input` its standard input. */
export const shell = (words: readonly string[], { input = '', env = {} } = {}): Answer => {
  const { PATH = '' } = process.env;
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `set -euo pipefail; ${SOURCE}; "$@"`, 'test', ...words],
    { cwd: ROOT, input, env: { PATH, ...env }, encoding: 'utf8' },
  );
  return { code: status, lines: stdout.split('\n').filter(Boolean), said: stderr };
};

/** Runs the built program as a user would, with paths of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { PACKAGE_ROOT } from '../../src/lib/paths.js';
import { scratchFolder } from '../unit/control/fake-api.js';

const MAIN = join(PACKAGE_ROOT, 'dist/main.js');

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Result>;
}

/** Starts the program, `through` another one if given, in an environment that names only what `env` names. */
export const start = (
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  through: readonly string[] = [],
): Program => {
  const [command, ...words] = [...through, process.execPath, MAIN, ...args];
  const child = spawn(command as string, words, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const text = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text.stdout += part;
  });
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text.stderr += part;
  });
  const ended = new Promise<Result>((done, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => done({ code, signal, ...text }));
  });
  return { child, ended };
};

/** Paths where no agent ever was. */
export const nowhere = (): Record<'KERNGATE_SOCKET' | 'KERNGATE_PIN' | 'KERNGATE_STATE', string> => {
  const folder = scratchFolder();
  return {
    KERNGATE_SOCKET: join(folder, 'kg.sock'),
    KERNGATE_PIN: join(folder, 'pin'),
    KERNGATE_STATE: join(folder, 'state'),
  };
};

/** Runs to the end. */
export const run = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = nowhere(),
  through: readonly string[] = [],
): Promise<Result> => start(args, env, through).ended;

/** The lock keeps others out while the work runs, and never longer. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withFileLock } from '../../../src/lib/file-lock.js';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'kerngate-lock-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** The system's own lock, taken on our descriptor by a helper that inherits it. */
const lock = (fd: number): void => {
  expect(
    spawnSync('flock', ['--exclusive', '3'], { stdio: ['ignore', 'ignore', 'inherit', fd] }).status,
  ).toBe(0);
};
const isFree = (path: string): boolean => spawnSync('flock', ['--nonblock', path, 'true']).status === 0;

it('holds during the work and falls with it, also when the work throws', () => {
  const path = join(dir, 'lock');
  expect(withFileLock(path, lock, () => isFree(path))).toBe(false);
  expect(isFree(path)).toBe(true);
  const failing = () => {
    throw new Error('no');
  };
  expect(() => withFileLock(path, lock, failing)).toThrow('no');
  expect(isFree(path)).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

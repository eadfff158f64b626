/** Folders are made, found, or refused with the system's error; never endlessly. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeFolders } from '../../../src/lib/folders.js';
import { scratchFolder } from '../control/fake-api.js';

it('makes what is missing, with the mode given', () => {
  const base = scratchFolder();
  expect(makeFolders(join(base, 'a/b/c'), 0o700)).toBe(true);
  expect(statSync(join(base, 'a/b')).mode & 0o777).toBe(0o700);
  expect(makeFolders(join(base, 'a/b/c'), 0o700)).toBe(false);
});

it('throws where none can be made', () => {
  const file = join(scratchFolder(), 'file');
  writeFileSync(file, '');
  expect(() => makeFolders(join(file, 'sub'), 0o700)).toThrow(/ENOTDIR|EEXIST/);
  expect(() => makeFolders(file, 0o700)).toThrow(/EEXIST/);
  expect(() => makeFolders('/proc/1/kerngate/state', 0o700)).toThrow(/ENOENT|EACCES/);
});

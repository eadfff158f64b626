/** The few file operations a crash-safe journal needs, each safe to be cut off at any point. */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

const { O_APPEND, O_CREAT, O_DIRECTORY, O_RDONLY, O_RDWR } = constants;

/** Which file it is, and how long. The birth tells a new file from a removed one whose number it got. */
export interface FileMark {
  readonly dev: number;
  readonly ino: number;
  readonly birthtimeMs: number;
  readonly size: number;
}

export const isSameFile = (a: FileMark, b: FileMark): boolean =>
  a.dev === b.dev && a.ino === b.ino && a.birthtimeMs === b.birthtimeMs;

/** Runs `work` on the file opened for appending, created 0600 if missing; a creation reaches the disk. */
export const withJournal = <T>(path: string, work: (fd: number) => T): T => {
  const fd = openOrCreate(path);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
};

const openOrCreate = (path: string): number => {
  try {
    return openSync(path, O_RDWR | O_APPEND);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const fd = openSync(path, O_RDWR | O_APPEND | O_CREAT, 0o600);
  syncFolder(path);
  return fd;
};

/** A rename or creation is durable once its folder is. */
const syncFolder = (path: string): void => {
  const fd = openSync(dirname(path), O_RDONLY | O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

export const markOf = (fd: number): FileMark => {
  const { dev, ino, birthtimeMs, size } = fstatSync(fd);
  return { dev, ino, birthtimeMs, size };
};

/** The bytes from `start` to `end`; fewer when the file shrinks meanwhile. */
export const readRange = (fd: number, start: number, end: number): Buffer => {
  const bytes = Buffer.allocUnsafe(Math.max(0, end - start));
  let filled = 0;
  while (filled < bytes.length) {
    const got = readSync(fd, bytes, filled, bytes.length - filled, start + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
};

/**
 * Appends all of the text or, as far as the file system lets us, nothing: a half-written line is cut
 * off again. The caller holds the lock, so the bytes after `size` are ours. Throws what the write threw.
 */
export const appendText = (fd: number, size: number, text: string, mustReachDisk: boolean): number => {
  const bytes = Buffer.from(text);
  try {
    writeAll(fd, bytes);
    if (mustReachDisk) fsyncSync(fd);
  } catch (error) {
    cutTo(fd, size);
    throw error;
  }
  return size + bytes.length;
};

const writeAll = (fd: number, bytes: Buffer): void => {
  let written = 0;
  while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written);
};

/** Whatever cannot be cut off ends in a damaged line, which a replay skips. */
export const cutTo = (fd: number, size: number): void => {
  try {
    ftruncateSync(fd, size);
  } catch {
    // Reading counts the damaged line; nothing better can be done on a device that refuses.
  }
};

const BATCH_CHARS = 1 << 20;

/** Puts the lines in the place of the file at once: a crash leaves either the old file or the new one. */
export const replaceFile = (path: string, lines: Iterable<string>): FileMark => {
  const temporary = `${path}.tmp`;
  try {
    const mark = writeFile(temporary, lines);
    renameSync(temporary, path);
    syncFolder(path);
    return mark;
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
};

const writeFile = (path: string, lines: Iterable<string>): FileMark => {
  rmSync(path, { force: true }); // Left over from a crash in here.
  const fd = openSync(path, 'wx', 0o600);
  try {
    let batch = '';
    for (const line of lines) {
      batch += line;
      if (batch.length < BATCH_CHARS) continue;
      writeAll(fd, Buffer.from(batch));
      batch = '';
    }
    writeAll(fd, Buffer.from(batch));
    fsyncSync(fd);
    return markOf(fd);
  } finally {
    closeSync(fd);
  }
};

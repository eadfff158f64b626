/** Reads and appends to the journal while no agent runs: what the operator lifts then stays lifted. */

import { closeSync, openSync } from 'node:fs';
import { type Lock, withFileLock } from '../lib/file-lock.js';
import { KerngateError } from '../model/error.js';
import { journalPath, lockPath } from './journal.js';
import { appendText, cutTo, markOf, readRange, withJournal } from './journal-disk.js';
import { readLines, writeLine } from './journal-lines.js';
import type { JournalRecord, Lift, Stamp } from './record.js';

/** An `unblock` that names what it lifts, or a `panic`. */
export type Tombstone = Stamp & ({ readonly kind: 'panic' } | ({ readonly kind: 'unblock' } & Lift));

/**
 * Appends the record and returns when it is on the disk. The agent reads it before it restores
 * anything. A half-written line of a killed writer is cut off first, or ours would join it. Throws
 * KerngateError (failed) naming the file.
 */
export const appendOffline = (stateDir: string, record: Tombstone, lock: Lock): void => {
  const path = journalPath(stateDir);
  try {
    withFileLock(lockPath(stateDir), lock, () =>
      withJournal(path, (fd) => appendText(fd, wholeSize(fd), writeLine(record), true)),
    );
  } catch (cause) {
    throw new KerngateError(`cannot write to the journal ${path}: ${(cause as Error).message}`, {
      remedy: 'What was lifted now may be blocked again when the agent starts: repeat the command then.',
      cause,
    });
  }
};

/** Size without a torn last line, which is cut off. */
const wholeSize = (fd: number): number => {
  const { size } = markOf(fd);
  const { end } = readLines(readRange(fd, 0, size));
  if (end < size) cutTo(fd, end);
  return end;
};

/** Every whole record, to look decisions up with; changes nothing. Empty when there is no journal. */
export const readJournal = (stateDir: string): JournalRecord[] => {
  const path = journalPath(stateDir);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new KerngateError(`cannot read the journal ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    return readLines(readRange(fd, 0, markOf(fd).size)).records;
  } finally {
    closeSync(fd);
  }
};

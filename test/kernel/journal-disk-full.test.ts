/** The journal on a file system that really is full: a tmpfs of 64 KiB. Needs root for the mount. */
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Book } from '../../src/decide/book.js';
import { FileJournal } from '../../src/decide/journal.js';
import { essence, HandClock } from '../unit/decide/world.js';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kerngate-full-'));
  execaSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', dir]);
});
afterEach(() => {
  execaSync('umount', [dir]);
  rmdirSync(dir);
});

const start = (rewriteAfter?: number) => {
  const errors: string[] = [];
  const journal = new FileJournal({
    stateDir: dir,
    lock: () => {},
    onError: ({ code }) => errors.push(String(code)),
    ...(rewriteAfter !== undefined && { rewriteAfter }),
  });
  const book = new Book({ clock: new HandClock(), bootId: 'boot-1', journal, history: journal.history });
  return { journal, book, errors };
};

const idOf = (n: number): string => n.toString(16).padStart(16, '0');
const lift = (n: number) => ({ kind: 'unblock', ids: [idOf(n)] }) as const;

/** Fills the disk to the last byte; answers what gives the room back. */
const fill = (): (() => void) => {
  const path = join(dir, 'ballast');
  const fd = openSync(path, 'w');
  for (const size of [4096, 64, 1]) {
    try {
      for (;;) writeSync(fd, Buffer.alloc(size));
    } catch {
      // Full for blocks of this size.
    }
  }
  closeSync(fd);
  return () => rmSync(path);
};

it('keeps what it cannot write, leaves no torn line, and writes it when there is room', () => {
  const { journal, book, errors } = start();
  book.commit(lift(0));
  const makeRoom = fill();
  for (let n = 1; n <= 101; n++) book.commit(lift(n));
  expect(errors).toContain('ENOSPC');
  const { waiting } = journal.stats();
  expect(waiting).toBeGreaterThan(0);
  // What a crash at this point would leave: whole lines, and no record twice.
  const crashed = start();
  expect(crashed.journal.stats()).toMatchObject({ torn: 0, damaged: 0 });
  expect(crashed.book.state.tombstones.ids.size).toBe(102 - waiting);
  makeRoom();
  journal.poll();
  expect(journal.stats()).toMatchObject({ waiting: 0, lost: 0 });
  expect(essence(start().book.state)).toEqual(essence(book.state));
});

it('keeps the old file when a rewrite finds no room', () => {
  const { journal, book, errors } = start(10);
  const makeRoom = fill();
  for (let n = 0; n < 53; n++) book.commit(lift(n));
  expect(errors).toContain('ENOSPC');
  makeRoom();
  for (let n = 53; n < 101; n++) book.commit(lift(n));
  expect(journal.stats()).toMatchObject({ waiting: 0, lost: 0 });
  expect(journal.stats().rewrites).toBeGreaterThan(0);
  expect(essence(start().book.state)).toEqual(essence(book.state));
});

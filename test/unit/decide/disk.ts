/** A folder for a journal on a real disk, and an agent's decide stage that works in it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { AllowList } from '../../../src/decide/allow-list.js';
import { Book } from '../../../src/decide/book.js';
import { Guardrails } from '../../../src/decide/guardrails.js';
import { FileJournal, type JournalOptions, journalPath } from '../../../src/decide/journal.js';
import { Ledger } from '../../../src/decide/ledger.js';
import { HandClock } from './world.js';

/** The real lock of the system, taken on our descriptor by a helper that inherits it. */
export const lock = (fd: number): void => {
  const { status } = spawnSync('flock', ['--exclusive', '3'], { stdio: ['ignore', 'ignore', 'inherit', fd] });
  if (status !== 0) throw new Error(`flock ended with ${status}`);
};
export const unlocked = (): void => {};

let current = '';
export const dir = (): string => current;
export const path = (): string => journalPath(current);
export const text = (): string => readFileSync(path(), 'utf8');

/** A fresh folder for each test of the file. */
export const useFolder = (): void => {
  beforeEach(() => {
    current = mkdtempSync(join(tmpdir(), 'kerngate-journal-'));
  });
  afterEach(() => rmSync(current, { recursive: true }));
};

/** An agent's decide stage on the folder. */
export const start = (options: Partial<JournalOptions> = {}, clock = new HandClock()) => {
  const problems: string[] = [];
  const errors: string[] = [];
  const journal = new FileJournal({
    stateDir: current,
    lock: unlocked,
    onProblem: (problem) => problems.push(problem),
    onError: ({ code }) => errors.push(String(code)),
    ...options,
  });
  const book = new Book({ clock, bootId: 'boot-1', journal, history: journal.history });
  const host = {
    addresses: () => ({ gateways: [], resolvers: [], own: [] }),
    rootCgroup: '1',
    protectedIn: () => [],
  };
  const ledger = new Ledger(book, new Guardrails(host, new AllowList(book)));
  return { journal, book, ledger, clock, problems, errors };
};

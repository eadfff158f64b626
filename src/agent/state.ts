/** The agent's memory across restarts: the lock that keeps it alone, journal, allow list, ledger. */
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { AllowList } from '../decide/allow-list.js';
import { Book } from '../decide/book.js';
import { Guardrails } from '../decide/guardrails.js';
import { FileJournal } from '../decide/journal.js';
import { Ledger } from '../decide/ledger.js';
import type { Native } from '../kernel/native.js';
import type { Clock } from '../lib/clock.js';
import { bootId } from '../lib/proc.js';
import { KerngateError } from '../model/error.js';
import type { Host } from './host.js';

export interface State {
  readonly journal: FileJournal;
  readonly allow: AllowList;
  readonly guardrails: Guardrails;
  readonly ledger: Ledger;
}

/** Takes the folder for this agent alone. Throws KerngateError when another one has it. */
export const lockState = (native: Native, stateDir: string): (() => void) => {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const path = join(stateDir, 'agent.lock');
  const fd = openSync(path, 'w', 0o600);
  try {
    native.flock(fd, 'exclusive', false);
  } catch (cause) {
    closeSync(fd);
    throw new KerngateError(`${path}: another agent runs with this state folder`, {
      remedy: 'Stop it first, or give this one its own --state, --pin and --socket.',
      cause,
    });
  }
  return () => closeSync(fd);
};

export const openState = (
  native: Native,
  stateDir: string,
  clock: Clock,
  host: Host,
  tell: (line: string) => void,
): State => {
  const journal = new FileJournal({
    stateDir,
    lock: (fd) => native.flock(fd, 'exclusive', true),
    onProblem: (text) => tell(`journal: ${text}`),
    onError: (error) =>
      tell(`journal: cannot write: ${error.message}; decisions stay in force and are written later`),
  });
  const book = new Book({ clock, bootId: bootId(), journal, history: journal.history });
  const allow = new AllowList(book);
  const guardrails = new Guardrails(host, allow);
  return { journal, allow, guardrails, ledger: new Ledger(book, guardrails) };
};

/** The agent's memory across restarts: the lock that keeps it alone, journal, allow list, ledger. */
import { closeSync, constants, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AllowList } from '../decide/allow-list.js';
import { Book } from '../decide/book.js';
import { Breaker, type BreakerLimits } from '../decide/breaker.js';
import { Guardrails } from '../decide/guardrails.js';
import { FileJournal, journalPath, lockPath } from '../decide/journal.js';
import { Ledger } from '../decide/ledger.js';
import type { Native } from '../kernel/native.js';
import type { Clock } from '../lib/clock.js';
import { makeFolders } from '../lib/folders.js';
import { bootId } from '../lib/proc.js';
import { KerngateError } from '../model/error.js';
import type { Host } from './host.js';
import { rulesPath } from './policies.js';

export interface State {
  readonly journal: FileJournal;
  readonly allow: AllowList;
  readonly guardrails: Guardrails;
  readonly ledger: Ledger;
}

const { O_RDONLY, O_RDWR, O_CREAT, O_DIRECTORY, O_NOFOLLOW } = constants;

export const lockFile = (stateDir: string): string => join(stateDir, 'agent.lock');

/** Every file an agent keeps in its state folder, but the lock. */
export const stateFiles = (stateDir: string): string[] => [
  lockPath(stateDir),
  journalPath(stateDir),
  rulesPath(stateDir),
];

/** Takes the state folder for this agent alone. Throws KerngateError when another one has it, or it cannot be written. */
export const lockState = (native: Native, stateDir: string): (() => void) => {
  const path = lockFile(stateDir);
  return lock(native, path, openLock(path, stateDir), 'state folder');
};

/** The same for the folder of pins: two agents on one set of maps would undo each other's blocks. */
export const lockPins = (native: Native, pin: string): (() => void) =>
  lock(native, pin, openSync(pin, O_RDONLY | O_DIRECTORY), 'folder of pins');

const lock = (native: Native, path: string, fd: number, what: string): (() => void) => {
  try {
    native.flock(fd, 'exclusive', false);
  } catch (cause) {
    closeSync(fd);
    throw new KerngateError(`${path}: another agent runs with this ${what}`, {
      remedy: 'Stop it first, or give this one its own --state, --pin and --socket.',
      cause,
    });
  }
  return () => closeSync(fd);
};

const openLock = (path: string, stateDir: string): number => {
  try {
    makeFolders(stateDir, 0o700);
    requireOwn(stateDir);
    return openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
  } catch (cause) {
    if (cause instanceof KerngateError) throw cause;
    throw new KerngateError(`${stateDir}: cannot keep state there: ${(cause as Error).message}`, {
      remedy: 'Make it writable for root, or name another folder with --state.',
      cause,
    });
  }
};

/** In a folder that others may write to they could put a link in the place of any file of ours. */
const requireOwn = (stateDir: string): void => {
  const { uid, mode } = statSync(stateDir);
  if (uid === process.geteuid?.() && (mode & 0o022) === 0) return;
  throw new KerngateError(
    `${stateDir}: not trusted: it belongs to uid ${uid} with mode ${(mode & 0o7777).toString(8)}`,
    { remedy: `Make it root's and nobody else's to write: chown root ${stateDir} && chmod go-w ${stateDir}` },
  );
};

export const openState = (
  native: Native,
  stateDir: string,
  clock: Clock,
  host: Host,
  breaker: BreakerLimits,
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
  const ledger = new Ledger(book, guardrails, undefined, new Breaker(breaker, host));
  return { journal, allow, guardrails, ledger };
};

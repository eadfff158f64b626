/** The ledger's journal as a file of JSON lines, shared with commands that run while the agent is down. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Lock, withFileLock } from '../lib/file-lock.js';
import { KerngateError } from '../model/error.js';
import {
  appendText,
  cutTo,
  type FileMark,
  isSameFile,
  markOf,
  readRange,
  replaceFile,
  withJournal,
} from './journal-disk.js';
import { readLines, writeLine } from './journal-lines.js';
import { type Journal, type JournalRecord, mustReachDisk } from './record.js';

export const journalPath = (stateDir: string): string => join(stateDir, 'journal.jsonl');
export const lockPath = (stateDir: string): string => join(stateDir, 'journal.lock');

export interface JournalOptions {
  readonly stateDir: string;
  readonly lock: Lock;
  /** A damaged or torn line, as `file:line: problem`; called for the first hundred only. */
  readonly onProblem?: (text: string) => void;
  /** A write failed; its records are kept and tried again with the next ones. */
  readonly onError?: (error: NodeJS.ErrnoException) => void;
  /** Appended lines after which a rewrite may pay (default 10,000). */
  readonly rewriteAfter?: number;
}

export interface JournalStats {
  readonly lines: number;
  /** Half-written last lines that were cut off. */
  readonly torn: number;
  readonly damaged: number;
  /** Records of others met while running. */
  readonly foreign: number;
  /** Failed writes and rewrites. */
  readonly errors: number;
  /** Records that wait for room on the disk. */
  readonly waiting: number;
  /** Waiting records given up because too many waited. */
  readonly lost: number;
  readonly rewrites: number;
}

const WAITING_LIMIT = 65_536;
const REPORT_LIMIT = 100;
const NO_FILE: FileMark = { dev: -1, ino: -1, birthtimeMs: -1, size: 0 };

export class FileJournal implements Journal {
  /** What the file held when it was opened, in its order; given to the book, then dropped. */
  history: JournalRecord[] = [];
  readonly #options: JournalOptions;
  readonly #path: string;
  #mark = NO_FILE;
  #waiting: JournalRecord[] = [];
  #take = (records: readonly JournalRecord[]): void => {
    for (const record of records) this.history.push(record);
  };
  #rewriteAt: number;
  #counts = { lines: 0, torn: 0, damaged: 0, foreign: 0, errors: 0, lost: 0, rewrites: 0 };

  /** Reads the file, creating it if missing. Throws KerngateError when it can be neither read nor made. */
  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = journalPath(options.stateDir);
    this.#rewriteAt = this.#step;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 });
      this.#locked((fd) => this.#catchUp(fd));
    } catch (cause) {
      throw new KerngateError(`cannot open the journal ${this.#path}: ${(cause as Error).message}`, {
        remedy:
          'Without it no block would survive a restart: make the folder writable, or give another --state DIR.',
        cause,
      });
    }
    this.#rewriteAt = this.#counts.lines + this.#step;
  }

  get #step(): number {
    return this.#options.rewriteAfter ?? 10_000;
  }

  onForeign(take: (records: readonly JournalRecord[]) => void): void {
    this.#take = (records) => {
      this.#counts.foreign += records.length;
      take(records);
    };
    this.history = [];
  }

  append(records: readonly JournalRecord[]): void {
    for (const record of records) this.#waiting.push(record);
    const surplus = this.#waiting.length - WAITING_LIMIT;
    if (surplus > 0) {
      this.#waiting.splice(0, surplus);
      this.#counts.lost += surplus;
    }
    this.#flush();
  }

  /** Takes what others appended and tries again what waits. Cheap when there is neither. */
  poll(): void {
    if (this.#waiting.length > 0 || this.#hasChanged()) this.#flush();
  }

  get grown(): boolean {
    return this.#counts.lines >= this.#rewriteAt;
  }

  rewrite(snapshot: () => Iterable<JournalRecord>): void {
    try {
      this.#locked(
        (fd) => this.#catchUp(fd),
        () => this.#replace(snapshot()),
      );
    } catch (error) {
      this.#rewriteAt = this.#counts.lines + this.#step;
      this.#failed(error);
    }
  }

  stats(): JournalStats {
    return { ...this.#counts, waiting: this.#waiting.length };
  }

  #replace(records: Iterable<JournalRecord>): void {
    let lines = 0;
    const texts = function* (): Generator<string> {
      for (const record of records) {
        lines++;
        yield writeLine(record);
      }
    };
    this.#mark = replaceFile(this.#path, texts());
    // The snapshot is taken from the state, which holds what waited as well.
    this.#waiting = [];
    this.#counts.lines = lines;
    this.#counts.rewrites++;
    this.#rewriteAt = lines + Math.max(this.#step, lines);
  }

  #flush(): void {
    try {
      this.#locked((fd) => {
        this.#catchUp(fd);
        if (this.#waiting.length > 0) this.#write(fd);
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  #write(fd: number): void {
    const isUrgent = this.#waiting.some(mustReachDisk);
    const size = appendText(fd, this.#mark.size, this.#waiting.map(writeLine).join(''), isUrgent);
    this.#mark = { ...this.#mark, size };
    this.#counts.lines += this.#waiting.length;
    this.#waiting = [];
  }

  #locked(work: (fd: number) => void, after: () => void = () => {}): void {
    withFileLock(lockPath(this.#options.stateDir), this.#options.lock, () => {
      withJournal(this.#path, work);
      after();
    });
  }

  /** Reads what lies behind our own last line. Under the lock nobody is in the middle of a line. */
  #catchUp(fd: number): void {
    const now = markOf(fd);
    if (!isSameFile(now, this.#mark)) this.#moved(now);
    const start = Math.min(this.#mark.size, now.size);
    if (start < this.#mark.size) this.#rewriteAt = 0; // Somebody cut it: the state knows what is missing.
    const bytes = readRange(fd, start, now.size);
    const lines = readLines(bytes, this.#counts.lines + 1);
    for (const { line, problem } of lines.damaged) this.#damaged(line, problem);
    if (lines.end < bytes.length) this.#cutTorn(fd, start + lines.end, this.#counts.lines + lines.count + 1);
    this.#mark = { ...now, size: start + lines.end };
    this.#counts.lines += lines.count;
    if (lines.records.length > 0) this.#take(lines.records);
  }

  /** Somebody put another file in the place of ours: it gets the whole state with the next rewrite. */
  #moved(now: FileMark): void {
    if (this.#mark !== NO_FILE) this.#rewriteAt = 0;
    this.#mark = { ...now, size: 0 };
    this.#counts.lines = 0;
  }

  #cutTorn(fd: number, size: number, line: number): void {
    this.#counts.torn++;
    this.#report(line, 'the last line is torn; cut off');
    cutTo(fd, size);
  }

  #damaged(line: number, problem: string): void {
    this.#counts.damaged++;
    this.#report(line, `${problem}; skipped`);
  }

  #report(line: number, text: string): void {
    if (this.#counts.damaged + this.#counts.torn > REPORT_LIMIT) return;
    this.#options.onProblem?.(`${this.#path}:${line}: ${text}`);
  }

  #hasChanged(): boolean {
    try {
      const now = statSync(this.#path);
      return !isSameFile(now, this.#mark) || now.size !== this.#mark.size;
    } catch {
      return true; // Gone: made anew by the next flush.
    }
  }

  #failed(error: unknown): void {
    this.#counts.errors++;
    this.#options.onError?.(error as NodeJS.ErrnoException);
  }
}

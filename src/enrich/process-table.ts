/** Executable and command line of processes, learned from their life events or, for older ones, from /proc. */
import { realpathSync } from 'node:fs';
import { type Lru, makeLru } from '../lib/lru.js';
import { readArgs, readExe, readStat } from '../lib/proc.js';
import type { ProcessFacts, ProcessFeed } from '../model/enricher.js';
import type { ReadBudget } from './read-budget.js';

interface Entry extends ProcessFacts {
  /** Handed down by a fork; an exec whose event is still on its way may have made them void. */
  readonly inherited: boolean;
  /** When it became this program, ns since boot; 0 for what was read or handed down. */
  readonly sinceNs: number;
  /** The program it was before. */
  readonly before: Entry | undefined;
}

/** Programs remembered of one process: a chain of execs must not grow for ever. */
const PROGRAMS_MAX = 4;

export interface ProcessTableOptions {
  /** Budget for what was asked about; the one for exec events is apart, so neither starves the other. */
  readonly lookups: ReadBudget;
  readonly execs: ReadBudget;
  readonly live?: number;
  readonly gone?: number;
}

const UNKNOWN: Entry = {
  comm: '',
  exe: '',
  cmdline: '',
  inherited: false,
  sinceNs: 0,
  before: undefined,
};

/** One number for both halves of an identity, so that a lookup makes no string. Exact for 248 days, then folded. */
const keyOf = (pid: number, startTick: number): number => (startTick % 2 ** 31) * 2 ** 22 + pid;

/**
 * The dead are kept in a table of their own, since their events may still come, and so are children
 * that did nothing yet: a flood of short-lived processes pushes out its like, not a living service.
 */
export class ProcessTable implements ProcessFeed {
  readonly counters = { process_evicted: 0, process_gone_evicted: 0, process_unknown: 0 };
  readonly #live: Lru<number, Entry>;
  readonly #gone: Lru<number, Entry>;
  /** Children nobody has asked about yet. */
  readonly #born: Lru<number, Entry>;
  readonly #lookups: ReadBudget;
  readonly #execs: ReadBudget;

  constructor(options: ProcessTableOptions) {
    const bounded = (max: number, name: keyof ProcessTable['counters']) =>
      makeLru<number, Entry>(max, () => {
        this.counters[name]++;
      });
    this.#live = bounded(options.live ?? 16_384, 'process_evicted');
    this.#born = bounded(options.live ?? 16_384, 'process_evicted');
    this.#gone = bounded(options.gone ?? 4096, 'process_gone_evicted');
    this.#lookups = options.lookups;
    this.#execs = options.execs;
  }

  /** Facts of a process; fields are '' where they cannot be known. Parameters as in `Enricher.process`. */
  process(pid: number, startTick: number, comm: string, atNs = Number.POSITIVE_INFINITY): ProcessFacts {
    if (pid === 0) return UNKNOWN;
    const latest = this.#recall(pid, startTick);
    const known = latest && programAt(latest, atNs);
    if (known && !(known.inherited && comm !== known.comm)) return known;
    return this.#read(pid, startTick) ?? UNKNOWN;
  }

  nameOf(pid: number, startTick: number): string {
    const key = keyOf(pid, startTick);
    return (this.#live.peek(key) ?? this.#gone.peek(key) ?? this.#born.peek(key))?.comm ?? '';
  }

  exec(
    pid: number,
    startTick: number,
    comm: string,
    path: string,
    args: readonly string[],
    sinceNs = 0,
  ): void {
    const key = keyOf(pid, startTick);
    const before = shortened(this.#recall(pid, startTick), PROGRAMS_MAX - 1);
    const exe = this.#exeAfterExec(pid, startTick, comm, path);
    this.#born.delete(key);
    this.#gone.delete(key);
    this.#live.set(key, { comm, exe, cmdline: args.join(' '), inherited: false, sinceNs, before });
  }

  fork(pid: number, startTick: number, comm: string, child: number, childTick: number): void {
    const facts = this.#recall(pid, startTick);
    if (!facts) return;
    const { exe, cmdline } = facts;
    this.#born.set(keyOf(child, childTick), { ...UNKNOWN, comm, exe, cmdline, inherited: true });
  }

  exit(pid: number, startTick: number): void {
    const facts = this.#recall(pid, startTick);
    const key = keyOf(pid, startTick);
    this.#live.delete(key);
    if (facts) this.#gone.set(key, facts);
  }

  /** What memory holds; a child becomes one of the living when it is first asked about. */
  #recall(pid: number, startTick: number): Entry | undefined {
    const key = keyOf(pid, startTick);
    const known = this.#live.get(key) ?? this.#gone.get(key);
    if (known) return known;
    const born = this.#born.get(key);
    if (!born) return undefined;
    this.#born.delete(key);
    this.#live.set(key, born);
    return born;
  }

  #read(pid: number, startTick: number): Entry | undefined {
    if (!this.#lookups.take()) {
      this.counters.process_unknown++;
      return undefined;
    }
    const exe = readExe(pid);
    const cmdline = readArgs(pid).join(' ');
    // Asked last: if it is the same process now, it was the same one all along.
    const stat = readStat(pid);
    const key = keyOf(pid, startTick);
    if (stat?.startTick === startTick) {
      const facts = { ...UNKNOWN, comm: stat.comm, exe, cmdline };
      this.#live.set(key, facts);
      return facts;
    }
    // It is gone for good, and facts from before its exec would name the wrong program.
    this.counters.process_unknown++;
    this.#live.delete(key);
    this.#gone.set(key, UNKNOWN);
    return undefined;
  }

  /** The path the kernel resolved, if the process is still the program this exec made it; else the one asked for. */
  #exeAfterExec(pid: number, startTick: number, comm: string, path: string): string {
    const asked = path.startsWith('/') ? path : '';
    if (!this.#execs.take()) return asked;
    const exe = readExe(pid);
    const stat = readStat(pid);
    // A zombie still has its name, and no program any more.
    const isIt = exe !== '' && stat?.startTick === startTick && stat.comm === comm;
    return isIt ? exe : resolved(asked);
  }
}

const programAt = (latest: Entry, atNs: number): Entry => {
  let entry: Entry | undefined = latest;
  while (entry && entry.sinceNs > atNs) entry = entry.before;
  return entry ?? UNKNOWN;
};

const shortened = (entry: Entry | undefined, most: number): Entry | undefined =>
  entry && { ...entry, before: most > 1 ? shortened(entry.before, most - 1) : undefined };

/**
 * One program, one name: `/bin/nc` and a link to it are `/usr/bin/nc`, as for a process that lives long
 * enough to be asked. What lies in /proc means another file to us than to the process.
 */
const resolved = (path: string): string => {
  if (path === '' || path.startsWith('/proc/')) return '';
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

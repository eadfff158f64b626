/** Answers every question of `Enricher` from its tables, and feeds them with process life. */
import type { CgroupFacts, Enricher, ProcessFacts, ProcessFeed } from '../model/enricher.js';
import { CgroupTable } from './cgroup-table.js';
import { ProcessTable } from './process-table.js';
import { ReadBudget } from './read-budget.js';
import { UserTable } from './user-table.js';

export interface EnricherOptions {
  /** Mount point of cgroup v2. */
  readonly cgroupMount: string;
  /** Milliseconds of a clock that never goes back; default: the process's own. */
  readonly nowMs?: () => number;
  /** Reads of /proc a second, for each of: exec events, processes asked about, cgroups asked about. */
  readonly readsPerSecond?: number;
  readonly passwd?: string;
}

export class ProcEnricher implements Enricher, ProcessFeed {
  readonly #processes: ProcessTable;
  readonly #cgroups: CgroupTable;
  readonly #users: UserTable;
  readonly #budgets: readonly ReadBudget[];

  constructor(options: EnricherOptions) {
    const nowMs = options.nowMs ?? (() => performance.now());
    const budget = () => new ReadBudget(options.readsPerSecond ?? 500, nowMs);
    const [execs, lookups, groups] = [budget(), budget(), budget()];
    this.#budgets = [execs, lookups, groups];
    this.#processes = new ProcessTable({ lookups, execs });
    this.#cgroups = new CgroupTable({ mount: options.cgroupMount, lookups: groups, nowMs });
    this.#users = new UserTable(nowMs, options.passwd);
  }

  /** Evictions, answers that had to stay open, and reads refused by the budgets, since the start. */
  counters(): Record<string, number> {
    const refused = this.#budgets.reduce((sum, budget) => sum + budget.refused, 0);
    return { ...this.#processes.counters, ...this.#cgroups.counters, proc_reads_refused: refused };
  }

  process(pid: number, startTick: number, comm: string, atNs?: number): ProcessFacts {
    return this.#processes.process(pid, startTick, comm, atNs);
  }

  nameOf(pid: number, startTick: number): string {
    return this.#processes.nameOf(pid, startTick);
  }

  cgroup(id: string, pid: number): CgroupFacts {
    return this.#cgroups.cgroup(id, pid);
  }

  user(uid: number): string | undefined {
    return this.#users.user(uid);
  }

  exec(
    pid: number,
    startTick: number,
    comm: string,
    path: string,
    args: readonly string[],
    atNs?: number,
  ): void {
    this.#processes.exec(pid, startTick, comm, path, args, atNs);
  }

  fork(pid: number, startTick: number, comm: string, child: number, childTick: number): void {
    this.#processes.fork(pid, startTick, comm, child, childTick);
  }

  exit(pid: number, startTick: number): void {
    this.#processes.exit(pid, startTick);
  }
}

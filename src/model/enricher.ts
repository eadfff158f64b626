/** What stages may ask about a process, cgroup or user beyond the kernel's record. Types only. */

export interface ProcessFacts {
  /** Name the process had when these facts were learned; '' when unknown. */
  readonly comm: string;
  /** Absolute path; '' when unknown. */
  readonly exe: string;
  /** Arguments joined by a blank, bounded; '' when unknown. */
  readonly cmdline: string;
}

export interface CgroupFacts {
  /** `/` is the root; '' when unknown. */
  readonly path: string;
  readonly unit: string | undefined;
  readonly container: string | undefined;
}

/** Answers from memory or, within a budget, from /proc. Never throws, never waits. */
export interface Enricher {
  /**
   * `comm` is the name in the event: when it differs from what a fork handed down, the facts are read
   * anew. `atNs`: of the program the process was then (ns since boot); absent: that it is now.
   */
  process(pid: number, startTick: number, comm: string, atNs?: number): ProcessFacts;
  /** Name a process is known by, '' when it is not known; asks nobody. */
  nameOf(pid: number, startTick: number): string;
  /** `pid`: a process seen in the cgroup. */
  cgroup(id: string, pid: number): CgroupFacts;
  user(uid: number): string | undefined;
}

/** The events of process life an enricher learns from, in the order of the ring. */
export interface ProcessFeed {
  /** `path` is what was asked for, perhaps relative or cut; `args` the arguments, perhaps cut. */
  exec(
    pid: number,
    startTick: number,
    comm: string,
    path: string,
    args: readonly string[],
    atNs?: number,
  ): void;
  /** `comm`: of the thread that forked, which is what the child is called. */
  fork(pid: number, startTick: number, comm: string, child: number, childTick: number): void;
  exit(pid: number, startTick: number): void;
}

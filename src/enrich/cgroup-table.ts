/** Path, unit and container of a cgroup id; a removed group keeps the path it had. */
import { containerOf, unitOf } from '../lib/cgroup-path.js';
import { cgroupIdOf, cgroupOf, walkCgroups } from '../lib/cgroup-tree.js';
import { type Lru, makeLru } from '../lib/lru.js';
import type { CgroupFacts } from '../model/enricher.js';
import type { ReadBudget } from './read-budget.js';

export interface CgroupTableOptions {
  /** Mount point of cgroup v2. */
  readonly mount: string;
  readonly lookups: ReadBudget;
  readonly nowMs: () => number;
  readonly max?: number;
}

const UNKNOWN: CgroupFacts = { path: '', unit: undefined, container: undefined };
/** A new walk is for groups whose processes are too short-lived to be asked; it may take a hundredth of the time. */
const REST_MIN_MS = 100;
const REST_MAX_MS = 10_000;
const REST_FACTOR = 100;
const WALK_MAX = 2048;

export class CgroupTable {
  readonly counters = { cgroup_evicted: 0, cgroup_unknown: 0 };
  readonly #known: Lru<string, CgroupFacts>;
  readonly #mount: string;
  readonly #lookups: ReadBudget;
  readonly #nowMs: () => number;
  readonly #max: number;
  #walkedMs = 0;
  #restMs = REST_MAX_MS;

  /** Walks the tree once. */
  constructor(options: CgroupTableOptions) {
    this.#max = options.max ?? 8192;
    this.#known = makeLru(this.#max, () => {
      this.counters.cgroup_evicted++;
    });
    this.#mount = options.mount;
    this.#lookups = options.lookups;
    this.#nowMs = options.nowMs;
    this.#walk(this.#max);
  }

  /** `id`: inode of the group's folder, decimal; `pid`: a process that was seen in it. */
  cgroup(id: string, pid: number): CgroupFacts {
    if (id === '0') return UNKNOWN;
    const facts = this.#known.get(id) ?? this.#find(id, pid);
    if (!facts) this.counters.cgroup_unknown++;
    return facts ?? UNKNOWN;
  }

  #find(id: string, pid: number): CgroupFacts | undefined {
    if (!this.#lookups.take()) return undefined;
    const path = pid === 0 ? undefined : cgroupOf(pid);
    // The process may have moved on: only a folder with this very inode is believed.
    if (path !== undefined && cgroupIdOf(this.#mount, path) === id) return this.#learn(id, path);
    if (this.#nowMs() - this.#walkedMs < this.#restMs) return undefined;
    this.#walk(Math.min(WALK_MAX, this.#max));
    return this.#known.get(id);
  }

  #walk(limit: number): void {
    const begunMs = this.#nowMs();
    walkCgroups(this.#mount, '/', limit, (path) => {
      const id = cgroupIdOf(this.#mount, path);
      if (id !== undefined && !this.#known.has(id)) this.#learn(id, path);
    });
    this.#walkedMs = this.#nowMs();
    const tookMs = this.#walkedMs - begunMs;
    this.#restMs = Math.min(REST_MAX_MS, Math.max(REST_MIN_MS, REST_FACTOR * tookMs));
  }

  #learn(id: string, path: string): CgroupFacts {
    const facts = { path, unit: unitOf(path), container: containerOf(path) };
    this.#known.set(id, facts);
    return facts;
  }
}

/** Which tree each process belongs to, as far as a capture tells: by the event itself, else by its forks. */
import type { Captured } from '../capture/captured.js';
import { BoundedMap } from '../decide/bounded-map.js';
import { LAUNCHERS } from '../lib/launchers.js';
import { processId } from '../model/subject.js';

export interface Root {
  readonly pid: number;
  readonly tick: number;
  /** '' when unknown. */
  comm: string;
}

interface Birth {
  /** Undefined: the child begins a lineage. */
  readonly root: Root | undefined;
  readonly atNs: number;
}

const LIVING = 131_072;
const GONE = 16_384;
/** A process that started this long after a birth under its pid is not the one that was born. */
const LATE_NS = 1e9;
const LAUNCHING: ReadonlySet<string> = new Set(LAUNCHERS);

export class Lineages {
  readonly #roots = new BoundedMap<Root>(LIVING);
  /** Of processes that ended: what is told of them later still finds its tree. */
  readonly #gone = new BoundedMap<Root>(GONE);
  /** Children whose start is not known yet, by pid. */
  readonly #births = new BoundedMap<Birth>(LIVING);
  /** The latest process seen under a pid. */
  readonly #current = new BoundedMap<Root>(LIVING);

  /** Entries given up for want of room. */
  get evictions(): number {
    return this.#roots.evicted + this.#births.evicted + this.#current.evicted;
  }

  /** To be called with every event, in order, before its root is asked for. */
  see(event: Captured): void {
    if (event.kind === 'fork') this.#fork(event);
    else if (event.kind === 'exec') this.#exec(event);
    else if (event.kind === 'exit') this.#exit(event);
  }

  rootOf(event: Captured): Root {
    const { pid, startTick: tick, lineage } = event;
    const id = processId(pid, tick);
    const known = this.#roots.get(id) ?? this.#gone.get(id);
    if (lineage !== undefined) {
      if (lineage.comm === '' && lineage.pid === pid && lineage.tick === tick) lineage.comm = event.comm;
      const isSame = known?.pid === lineage.pid && known.tick === lineage.tick;
      return lineage.comm === '' && isSame ? known : lineage;
    }
    if (known) return known;
    const root = this.#born(event) ?? this.#inherited(event) ?? own(event);
    this.#put(pid, id, root);
    return root;
  }

  #fork(event: Captured): void {
    if (event.child === undefined) return;
    const root = beginsLineage(event) ? undefined : this.rootOf(event);
    const { child, childTick: tick, atNs } = event;
    this.#births.delete(String(child));
    this.#current.delete(String(child));
    if (tick === undefined) this.#births.set(String(child), { root, atNs });
    else this.#put(child, processId(child, tick), root ?? { pid: child, tick, comm: event.comm });
  }

  /** The name of a tree is that of its root, which execs after it was born. */
  #exec(event: Captured): void {
    const root = this.rootOf(event);
    if (root.pid === event.pid && root.tick === event.startTick) root.comm = event.comm;
  }

  #exit(event: Captured): void {
    const id = processId(event.pid, event.startTick);
    const root = this.rootOf(event);
    this.#gone.set(id, root);
    this.#roots.delete(id);
    if (this.#current.get(String(event.pid)) === root) this.#current.delete(String(event.pid));
  }

  #put(pid: number, id: string, root: Root): void {
    this.#roots.set(id, root);
    this.#current.set(String(pid), root);
  }

  /** The first process seen under the pid of a birth is the one that was born. */
  #born(event: Captured): Root | undefined {
    const birth = this.#births.get(String(event.pid));
    if (birth === undefined || event.startNs > birth.atNs + LATE_NS) return undefined;
    this.#births.delete(String(event.pid));
    return birth.root ?? own(event);
  }

  /** Born before the capture began: its parent may be known all the same. */
  #inherited(event: Captured): Root | undefined {
    return event.ppid <= 1 ? undefined : this.#current.get(String(event.ppid));
  }
}

const own = ({ pid, startTick, comm }: Captured): Root => ({ pid, tick: startTick, comm });

/** The same question the fork hook asks of the parent. */
const beginsLineage = ({ pid, uid, exe }: Captured): boolean =>
  pid === 1 || (uid === 0 && LAUNCHING.has(exe));

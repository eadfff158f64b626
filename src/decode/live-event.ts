/** An event straight from the ring: a cursor over its rows that reads a field when it is asked for. */
import type { KgEventRows } from '../abi/generated.js';
import type { Clock } from '../lib/clock.js';
import { ipFromBytes } from '../lib/ip.js';
import type { EventCursor } from '../model/cursor.js';
import type { CgroupFacts, Enricher, ProcessFacts } from '../model/enricher.js';
import type { Event } from '../model/event.js';
import { type KeyedEvent, subjectOf } from '../model/event-key.js';
import type { CapturedEvent } from '../model/json-event.js';
import type { Subject, SubjectKind } from '../model/subject.js';
import { RecordView } from './record-view.js';
import { snapshotOf } from './snapshot.js';

export interface LiveEventDeps {
  readonly enricher: Enricher;
  readonly clock: Pick<Clock, 'wall'>;
  /** Events lost by the rings so far. */
  readonly lost: () => number;
}

/** True for an address nobody filled in: unspecified, of either family, with port 0. */
const isUnset = (bytes: Uint8Array, port: number): boolean => {
  if (port !== 0 || bytes[12] || bytes[13] || bytes[14] || bytes[15]) return false;
  const mapped = bytes[10] === 255 && bytes[11] === 255;
  for (let i = 0; i < 12; i++) if (bytes[i] !== (mapped && i > 9 ? 255 : 0)) return false;
  return true;
};

/**
 * One cursor serves all events: `load` allocates nothing, strings are made on access and kept until
 * the next `load`. Only records whose kind is `known` may be read.
 */
export class LiveEvent extends RecordView implements EventCursor, KeyedEvent {
  readonly #deps: LiveEventDeps;
  readonly #address = new Uint8Array(16);
  readonly #keys = new Map<SubjectKind, Subject | undefined>();
  #comm: string | undefined;
  #process: ProcessFacts | undefined;
  #cgroupId: string | undefined;
  #cgroup: CgroupFacts | undefined;
  /** null: not yet read. */
  #srcIp: string | undefined | null = null;
  #dstIp: string | undefined | null = null;

  constructor(rows: KgEventRows, deps: LiveEventDeps) {
    super(rows);
    this.#deps = deps;
  }

  load(index: number): void {
    this.index = index;
    this.#comm = undefined;
    this.#process = undefined;
    this.#cgroupId = undefined;
    this.#cgroup = undefined;
    this.#srcIp = null;
    this.#dstIp = null;
    if (this.#keys.size > 0) this.#keys.clear();
  }

  get comm(): string {
    this.#comm ??= this.rows.comm(this.index);
    return this.#comm;
  }

  get exe(): string {
    return this.#facts.exe;
  }

  get cmdline(): string {
    return this.#facts.cmdline;
  }

  get cgroupId(): string {
    this.#cgroupId ??= this.rows.cgroup_big(this.index).toString();
    return this.#cgroupId;
  }

  get cgroupPath(): string {
    return this.#group.path;
  }

  get unit(): string | undefined {
    return this.#group.unit;
  }

  get container(): string | undefined {
    return this.#group.container;
  }

  get user(): string | undefined {
    return this.ownerless ? undefined : this.#deps.enricher.user(this.uid);
  }

  get srcIp(): string | undefined {
    if (this.#srcIp === null) {
      const bytes = this.rows.saddr(this.index, this.#address);
      this.#srcIp = isUnset(bytes, this.rows.sport(this.index)) ? undefined : ipFromBytes(bytes);
    }
    return this.#srcIp;
  }

  get srcPort(): number | undefined {
    return this.srcIp === undefined ? undefined : this.rows.sport(this.index);
  }

  get dstIp(): string | undefined {
    if (this.#dstIp === null) {
      const bytes = this.rows.daddr(this.index, this.#address);
      this.#dstIp = isUnset(bytes, this.rows.dport(this.index)) ? undefined : ipFromBytes(bytes);
    }
    return this.#dstIp;
  }

  get dstPort(): number | undefined {
    return this.dstIp === undefined ? undefined : this.rows.dport(this.index);
  }

  get lost(): number {
    return this.#deps.lost();
  }

  get lineageComm(): string {
    const isRoot = this.lineagePid === this.pid && this.lineageTick === this.startTick;
    return isRoot ? this.comm : this.#deps.enricher.nameOf(this.lineagePid, this.lineageTick);
  }

  key(by: SubjectKind): Subject | undefined {
    if (this.#keys.has(by)) return this.#keys.get(by);
    const subject = subjectOf(this, by);
    this.#keys.set(by, subject);
    return subject;
  }

  snapshot(): Event {
    return snapshotOf(this, {
      at: this.#deps.clock.wall(this.atNs),
      bootNs: this.rows.at_ns_big(this.index).toString(),
      start: this.rows.start_ns_big(this.index).toString(),
    });
  }

  /** With what a replay needs and a person does not: the tree, and which process a fork made. */
  captured(): CapturedEvent {
    const { lineagePid, lineageComm: comm } = this;
    const start = (tick: number): string => (tick === 0 ? '0' : `${tick}0000000`);
    return {
      ...this.snapshot(),
      ...(this.kind === 'fork' ? { child_start: this.rows.count_big(this.index).toString() } : {}),
      ...(lineagePid === 0 ? {} : { lineage: { pid: lineagePid, start: start(this.lineageTick), comm } }),
    };
  }

  get #facts(): ProcessFacts {
    this.#process ??= this.#deps.enricher.process(this.pid, this.startTick, this.comm, this.atNs);
    return this.#process;
  }

  get #group(): CgroupFacts {
    this.#cgroup ??= this.#deps.enricher.cgroup(this.cgroupId, this.pid);
    return this.#cgroup;
  }
}

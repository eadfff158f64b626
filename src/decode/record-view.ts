/** The part of an event that the kernel's record alone tells: numbers, flags and their names. */
import { KG_EVENT_FLAG, KG_VERDICT_KIND, type KgEventColumns, KINDS } from '../abi/generated.js';
import { SUBJECT_NAMES } from '../abi/subject-names.js';
import type { AuthInfo, EventKind, EventVerdict, Proto } from '../model/event.js';
import type { SubjectKind } from '../model/subject.js';
import { resultOf } from './errno.js';
import { protoOf } from './proto.js';

const TICK_NS = 10_000_000;
/** Kinds that say how something ended. */
const OUTCOMES: ReadonlySet<EventKind> = new Set(['connect.ok', 'connect.fail']);
const NO_SESSION = 0xffffffff;
/** From here on a double is rounded and might name the next tick: 104 days of uptime are common. */
const EXACT = 2 ** 53;

/** Whole ticks in nanoseconds; taking the rest off first keeps the division exact. */
const ticks = (ns: number): number => (ns - (ns % TICK_NS)) / TICK_NS;
const bigTicks = (ns: bigint): number => Number(ns / BigInt(TICK_NS));

/** Reads record `index` of the columns. Only records whose kind is `known` may be read further. */
export class RecordView {
  protected readonly columns: KgEventColumns;
  protected index = 0;

  constructor(columns: KgEventColumns) {
    this.columns = columns;
  }

  /** False when the record is of a kind this build does not know. */
  get known(): boolean {
    return KINDS[this.columns.kind(this.index)] !== undefined;
  }

  get kind(): EventKind {
    return KINDS[this.columns.kind(this.index)] as EventKind;
  }

  get atNs(): number {
    return this.columns.at_ns(this.index);
  }

  get pid(): number {
    return this.columns.tgid(this.index);
  }

  get startTick(): number {
    const ns = this.columns.start_ns(this.index);
    return ns < EXACT ? ticks(ns) : bigTicks(this.columns.start_ns_big(this.index));
  }

  get ppid(): number {
    return this.columns.ppid(this.index);
  }

  get session(): number {
    const session = this.columns.session(this.index);
    // A socket without an owner carries zeros, and session 0 is somebody's.
    return session === NO_SESSION || this.ownerless ? -1 : session;
  }

  get uid(): number {
    return this.columns.uid(this.index);
  }

  get proto(): Proto | undefined {
    return protoOf(this.kind, this.columns.proto(this.index));
  }

  get result(): 0 | string | undefined {
    // An attempt that was let through has no result yet: connect.ok and connect.fail tell it.
    const result = this.columns.result(this.index);
    return OUTCOMES.has(this.kind) || result !== 0 ? resultOf(result) : undefined;
  }

  /** The kernel's records carry no authentication. */
  get auth(): AuthInfo | undefined {
    return undefined;
  }

  get verdict(): EventVerdict {
    const verdict = this.columns.verdict(this.index);
    if (verdict === KG_VERDICT_KIND.DENY) return 'deny';
    return verdict === KG_VERDICT_KIND.AUDIT ? 'audit' : 'none';
  }

  get decision(): string | undefined {
    return this.columns.decision(this.index) === 0 ? undefined : this.columns.decision_hex(this.index);
  }

  get rule(): string | undefined {
    return this.columns.rule(this.index) === 0 ? undefined : this.columns.rule_hex(this.index);
  }

  get crossed(): boolean {
    return this.has(KG_EVENT_FLAG.CROSSED);
  }

  /** A record of its own for one more limit that the attempt of an earlier record crossed. */
  get again(): boolean {
    return this.has(KG_EVENT_FLAG.AGAIN);
  }

  /** A deny matched and a protection held it back. */
  get spared(): boolean {
    return this.has(KG_EVENT_FLAG.SPARED);
  }

  /** The subject of `decision` is gone; `hits` is its last count. */
  get ended(): boolean {
    return this.has(KG_EVENT_FLAG.ENDED);
  }

  /** Decided by a window the whole cgroup shares, because the map of windows was full. */
  get shared(): boolean {
    return this.has(KG_EVENT_FLAG.SHARED);
  }

  /** The socket's owner is unknown: everything that names a process is zero or empty. */
  get ownerless(): boolean {
    return this.has(KG_EVENT_FLAG.NOOWNER);
  }

  /** Hits of `decision` so far; of an `exit` that did not end one, the exit code. */
  get hits(): number {
    return this.columns.count(this.index);
  }

  /** Kind of the subject `decision` is about, undefined without one. */
  get verdictBy(): SubjectKind | undefined {
    return SUBJECT_NAMES[this.columns.by(this.index)];
  }

  get untrusted(): boolean {
    return false;
  }

  get child(): number | undefined {
    return this.kind === 'fork' ? this.columns.child(this.index) : undefined;
  }

  /** Start of the child of a `fork`, in clock ticks. */
  get childTick(): number {
    const ns = this.columns.count(this.index);
    return ns < EXACT ? ticks(ns) : bigTicks(this.columns.count_big(this.index));
  }

  get lineagePid(): number {
    return this.columns.lineage_tgid(this.index);
  }

  get lineageTick(): number {
    return this.columns.lineage_tick(this.index);
  }

  private has(flag: number): boolean {
    return (this.columns.flags(this.index) & flag) !== 0;
  }
}

/** The part of an event that the kernel's record alone tells: numbers, flags and their names. */
import { KG_EVENT_FLAG, KG_VERDICT_KIND, KG_WAY, type KgEventRows, KINDS } from '../abi/generated.js';
import { SUBJECT_NAMES } from '../abi/subject-names.js';
import type { AuthInfo, EventKind, EventVerdict, Proto } from '../model/event.js';
import type { SubjectKind } from '../model/subject.js';
import { resultOf } from './errno.js';
import { protoOf } from './proto.js';

/** `SEND_OPEN` becomes `send.open`. */
const WAY_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(KG_WAY).flatMap(([name, way]) =>
    way === KG_WAY.NONE || way === KG_WAY.COUNT ? [] : [[way, name.toLowerCase().replace('_', '.')]],
  ),
);
const TICK_NS = 10_000_000;
/** Kinds that say how something ended. */
const OUTCOMES: ReadonlySet<EventKind> = new Set(['connect.ok', 'connect.fail']);
const NO_SESSION = 0xffffffff;
/** From here on a double is rounded and might name the next tick: 104 days of uptime are common. */
const EXACT = 2 ** 53;

/** Whole ticks in nanoseconds; taking the rest off first keeps the division exact. */
const ticks = (ns: number): number => (ns - (ns % TICK_NS)) / TICK_NS;
const bigTicks = (ns: bigint): number => Number(ns / BigInt(TICK_NS));

/** Reads record `index` of the rows. Only records whose kind is `known` may be read further. */
export class RecordView {
  protected readonly rows: KgEventRows;
  protected index = 0;

  constructor(rows: KgEventRows) {
    this.rows = rows;
  }

  /** False when the record is of a kind this build does not know. */
  get known(): boolean {
    return KINDS[this.rows.kind(this.index)] !== undefined;
  }

  get kind(): EventKind {
    return KINDS[this.rows.kind(this.index)] as EventKind;
  }

  get atNs(): number {
    return this.rows.at_ns(this.index);
  }

  get pid(): number {
    return this.rows.tgid(this.index);
  }

  get startTick(): number {
    const ns = this.rows.start_ns(this.index);
    return ns < EXACT ? ticks(ns) : bigTicks(this.rows.start_ns_big(this.index));
  }

  get ppid(): number {
    return this.rows.ppid(this.index);
  }

  get session(): number {
    const session = this.rows.session(this.index);
    // A socket without an owner carries zeros, and session 0 is somebody's.
    return session === NO_SESSION || this.ownerless ? -1 : session;
  }

  get uid(): number {
    return this.rows.uid(this.index);
  }

  get proto(): Proto | undefined {
    return protoOf(this.kind, this.rows.proto(this.index));
  }

  get result(): 0 | string | undefined {
    // An attempt that was let through has no result yet: connect.ok and connect.fail tell it.
    const result = this.rows.result(this.index);
    return OUTCOMES.has(this.kind) || result !== 0 ? resultOf(result) : undefined;
  }

  /** The kernel's records carry no authentication. */
  get auth(): AuthInfo | undefined {
    return undefined;
  }

  get verdict(): EventVerdict {
    const verdict = this.rows.verdict(this.index);
    if (verdict === KG_VERDICT_KIND.DENY) return 'deny';
    return verdict === KG_VERDICT_KIND.AUDIT ? 'audit' : 'none';
  }

  get decision(): string | undefined {
    return this.rows.decision(this.index) === 0 ? undefined : this.rows.decision_hex(this.index);
  }

  get rule(): string | undefined {
    return this.rows.rule(this.index) === 0 ? undefined : this.rows.rule_hex(this.index);
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

  /** Of a `hit`: the way on which the verdict was met. */
  get way(): string | undefined {
    return this.kind === 'hit' ? WAY_NAMES[this.rows.way(this.index)] : undefined;
  }

  /** Hits of `decision` so far; of an `exit` that did not end one, the exit code. */
  get hits(): number {
    return this.rows.count(this.index);
  }

  /** Kind of the subject `decision` is about, undefined without one. */
  get verdictBy(): SubjectKind | undefined {
    return SUBJECT_NAMES[this.rows.by(this.index)];
  }

  get untrusted(): boolean {
    return false;
  }

  get child(): number | undefined {
    return this.kind === 'fork' ? this.rows.child(this.index) : undefined;
  }

  /** Start of the child of a `fork`, in clock ticks. */
  get childTick(): number {
    const ns = this.rows.count(this.index);
    return ns < EXACT ? ticks(ns) : bigTicks(this.rows.count_big(this.index));
  }

  get lineagePid(): number {
    return this.rows.lineage_tgid(this.index);
  }

  get lineageTick(): number {
    return this.rows.lineage_tick(this.index);
  }

  private has(flag: number): boolean {
    return (this.rows.flags(this.index) & flag) !== 0;
  }
}

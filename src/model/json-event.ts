/** An event read from its JSON: what replay and the golden cases feed to the pipeline. */
import type { AuthInfo, Event, EventKind, EventVerdict, Proto } from './event.js';
import { type KeyedEvent, subjectOf } from './event-key.js';
import type { Subject, SubjectKind } from './subject.js';

/** What a capture may hold beyond the contract's shape. */
export interface CapturedEvent extends Event {
  /** Start of the child of a fork, ns since boot, decimal. */
  readonly child_start?: string;
  /** Root of the lineage; without it the process is taken for its own. `start` in ns, decimal. */
  readonly lineage?: { readonly pid: number; readonly start: string; readonly comm?: string };
  /** Hash of the policy whose verdict the event met or whose limit it crossed. */
  readonly rule?: string;
  readonly crossed?: boolean;
}

/** The kernel's way to write "no session". */
const UNSET_SESSION = 0xffff_ffff;

/**
 * Nanoseconds since boot, decimal, in ticks of 10 ms. Cutting the text is exact where a number past
 * 2^53 is not, and an identity must not change by a rounding.
 */
export const tickOf = (startNs: string): number => Number(startNs.slice(0, -7));

/** Valid as long as the event it wraps. The event must have the contract's shape. */
export class JsonEvent implements KeyedEvent {
  readonly #event: CapturedEvent;
  readonly atNs: number;

  constructor(event: CapturedEvent) {
    this.#event = event;
    this.atNs = Number(event.boot_ns);
  }

  get kind(): EventKind {
    return this.#event.kind;
  }
  get pid(): number {
    return this.#event.pid;
  }
  get startTick(): number {
    return tickOf(this.#event.start);
  }
  get ppid(): number {
    return this.#event.ppid;
  }
  get session(): number {
    const session = this.#event.session ?? -1;
    return session === UNSET_SESSION ? -1 : session;
  }
  get uid(): number {
    return this.#event.uid;
  }
  get comm(): string {
    return this.#event.comm;
  }
  get exe(): string {
    return this.#event.exe;
  }
  get cmdline(): string {
    return this.#event.cmdline ?? '';
  }
  get cgroupId(): string {
    return this.#event.cgroup.id;
  }
  get cgroupPath(): string {
    return this.#event.cgroup.path;
  }
  get unit(): string | undefined {
    return this.#event.unit;
  }
  get container(): string | undefined {
    return this.#event.container;
  }
  get user(): string | undefined {
    return this.#event.user;
  }
  get proto(): Proto | undefined {
    return this.#event.proto;
  }
  get srcIp(): string | undefined {
    return this.#event.src?.ip;
  }
  get srcPort(): number | undefined {
    return this.#event.src?.port;
  }
  get dstIp(): string | undefined {
    return this.#event.dst?.ip;
  }
  get way(): string | undefined {
    return this.#event.way;
  }
  get dstPort(): number | undefined {
    return this.#event.dst?.port;
  }
  get result(): 0 | string | undefined {
    return this.#event.result;
  }
  get auth(): AuthInfo | undefined {
    return this.#event.auth;
  }
  get verdict(): EventVerdict {
    return this.#event.verdict;
  }
  get decision(): string | undefined {
    return this.#event.decision;
  }
  get rule(): string | undefined {
    return this.#event.rule;
  }
  get crossed(): boolean {
    return this.#event.crossed ?? false;
  }

  /** A capture holds each attempt once. */
  get again(): boolean {
    return false;
  }
  get alsoUnder(): readonly string[] | undefined {
    return undefined;
  }
  get untrusted(): boolean {
    return this.#event.untrusted ?? false;
  }
  get child(): number | undefined {
    return this.#event.child;
  }
  get lost(): number {
    return this.#event.lost;
  }
  get lineagePid(): number {
    return this.#event.lineage?.pid ?? this.pid;
  }
  get lineageTick(): number {
    return tickOf(this.#event.lineage?.start ?? this.#event.start);
  }
  get lineageComm(): string {
    const root = this.#event.lineage;
    if (root?.comm !== undefined) return root.comm;
    return root === undefined || (root.pid === this.pid && this.lineageTick === this.startTick)
      ? this.comm
      : '';
  }

  key(by: SubjectKind): Subject | undefined {
    return subjectOf(this, by);
  }

  /** The event itself: it is immutable, so it may be kept. */
  snapshot(): Event {
    return this.#event;
  }
}

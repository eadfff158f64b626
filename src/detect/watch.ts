/** One policy at work: finds the key of a matching event, counts it, and turns a hit into a crossing. */
import type { Crossing } from '../model/crossing.js';
import type { EventView } from '../model/event.js';
import type { Policy } from '../model/policy.js';
import { type Subject, type SubjectKind, subjectKey } from '../model/subject.js';
import type { Detector, DetectorOptions } from './detector.js';
import { Quiet } from './quiet.js';
import { createDetector } from './registry.js';

export type Emit = (crossing: Crossing) => void;

/** What happened to events on their way, over all policies. */
export interface Tally {
  /** Matched, but had nobody to count for. */
  unkeyed: number;
  /** Matched while their subject was blocked by the same rule. */
  quieted: number;
  /** Crossings whose event does not have the subject `block` names; the counted one stands in. */
  fallbacks: number;
}

const OPEN = Number.NEGATIVE_INFINITY;

/**
 * Events that are not trusted have a window of their own, which only alerts. In one window with the
 * others they would let a stranger complete somebody's count, or spend it so that the true crossing
 * falls into the quiet time.
 */
export class Watch {
  /** True when its crossing refuses the attempt itself. */
  refuses = false;
  #policy: Policy;
  readonly #options: DetectorOptions;
  readonly #tally: Tally;
  #trusted: Detector | undefined;
  #untrusted: Detector | undefined;
  #quiet: Quiet | undefined;

  constructor(policy: Policy, options: DetectorOptions, tally: Tally) {
    this.#policy = policy;
    this.#options = options;
    this.#tally = tally;
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Goes on with a policy of the same hash; windows stay. */
  rebind(policy: Policy): void {
    this.#policy = policy;
  }

  /** Counts a matching event; calls `emit` at most once. Answers whether it crossed. */
  count(event: EventView, emit: Emit): boolean {
    const counted = this.#counted(event);
    if (counted === undefined) {
      this.#tally.unkeyed++;
      return false;
    }
    const { lo, hi } = this.#hash(counted);
    const consumes = this.#consumes(event);
    const floorNs = consumes ? this.#floor(event, counted, lo, hi) : OPEN;
    if (event.atNs < floorNs) {
      this.#tally.quieted++;
      return false;
    }
    const detector = this.#detector(event.untrusted);
    const hit = detector.step({ event, atNs: event.atNs, lo, hi, floorNs, consumes });
    if (!hit) return false;
    const subject = this.#subject(event, counted);
    if (consumes) this.#raiseFloor(subject, event.atNs + this.#policy.then.forNs);
    emit({
      policy: this.#policy,
      subject,
      counted,
      event,
      inKernel: false,
      untrusted: event.untrusted,
      ...hit,
    });
    return true;
  }

  /** Whether `count` would cross; nothing is counted. */
  crosses(event: EventView): boolean {
    const counted = this.#counted(event);
    if (counted === undefined) return false;
    const { lo, hi } = this.#hash(counted);
    const consumes = this.#consumes(event);
    const floorNs = consumes ? this.#floor(event, counted, lo, hi) : OPEN;
    if (event.atNs < floorNs) return false;
    const detector = this.#detector(event.untrusted);
    return detector.crosses?.({ event, atNs: event.atNs, lo, hi, floorNs, consumes }) ?? false;
  }

  /** A crossing the kernel has counted; the kernel's entry keeps what is under way from crossing again. */
  crossedInKernel(event: EventView, emit: Emit): void {
    const counted = this.#counted(event) ?? event.key('process');
    if (counted === undefined) {
      this.#tally.unkeyed++;
      return;
    }
    const subject = this.#subject(event, counted);
    emit({ policy: this.#policy, subject, counted, event, inKernel: true, untrusted: event.untrusted });
  }

  /** Starts an empty window for a counted or blocked subject. `nowNs`: the newest event's time. */
  forget(subject: Subject, nowNs: number): void {
    const { lo, hi } = this.#hash(subject);
    if (subject.kind === this.#by) {
      this.#trusted?.forget(lo, hi);
      this.#quiet?.remove(lo, hi);
    } else if (subject.kind === this.#policy.then.block) {
      // Its members have windows of their own: a floor empties them all at once.
      this.#raiseFloor(subject, nowNs);
    }
  }

  get keys(): number {
    return (this.#trusted?.keys ?? 0) + (this.#untrusted?.keys ?? 0) + (this.#quiet?.size ?? 0);
  }

  get evictions(): number {
    return (
      (this.#trusted?.evictions ?? 0) + (this.#untrusted?.evictions ?? 0) + (this.#quiet?.evictions ?? 0)
    );
  }

  /** A rule without detector counts for nobody; the process stands for who did it. */
  get #by(): SubjectKind {
    const { detect, kernelRule } = this.#policy;
    return detect.type === 'rule' ? (kernelRule?.by ?? 'process') : detect.by;
  }

  #consumes(event: EventView): boolean {
    return this.#policy.then.block !== undefined && !event.untrusted;
  }

  #counted(event: EventView): Subject | undefined {
    const { detect, then } = this.#policy;
    const counted = event.key(this.#by);
    // An event without a known owner can still name the address a rule blocks.
    return counted ?? (detect.type === 'rule' && then.block ? event.key(then.block) : undefined);
  }

  #subject(event: EventView, counted: Subject): Subject {
    const subject = this.#blocked(event, counted);
    const wanted = this.#policy.then.block;
    if (wanted !== undefined && subject.kind !== wanted) this.#tally.fallbacks++;
    return subject;
  }

  #blocked(event: EventView, counted: Subject): Subject {
    const kind = this.#policy.then.block;
    return kind === undefined || kind === counted.kind ? counted : (event.key(kind) ?? counted);
  }

  /** `lo`, `hi`: the hash of `counted`, which most rules block as well. */
  #floor(event: EventView, counted: Subject, lo: number, hi: number): number {
    if (this.#quiet === undefined || this.#quiet.size === 0) return OPEN;
    const blocked = this.#blocked(event, counted);
    if (blocked === counted) return this.#quiet.floor(lo, hi);
    const hash = this.#hash(blocked);
    return this.#quiet.floor(hash.lo, hash.hi);
  }

  #raiseFloor(subject: Subject, floorNs: number): void {
    const { lo, hi } = this.#hash(subject);
    this.#quiet ??= new Quiet(this.#options.capacity);
    this.#quiet.set(lo, hi, floorNs);
  }

  #detector(untrusted: boolean): Detector {
    const known = untrusted ? this.#untrusted : this.#trusted;
    if (known) return known;
    const made = createDetector(this.#policy.detect, this.#options);
    if (untrusted) this.#untrusted = made;
    else this.#trusted = made;
    return made;
  }

  #hash(subject: Subject): { readonly lo: number; readonly hi: number } {
    const { hasher } = this.#options;
    hasher.text(subjectKey(subject));
    return hasher;
  }
}

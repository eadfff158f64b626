/** What a detector is: counts matching events for a key, and says when one of them crosses. */
import type { Hasher } from '../lib/hash.js';
import type { EventView } from '../model/event.js';
import type { BurstTier, Detect } from '../model/policy.js';

/** One matching event and the key it counts for. Reused: valid during `step` only. */
export interface Occasion {
  readonly event: EventView;
  readonly atNs: number;
  /** Hash of the key. */
  readonly lo: number;
  readonly hi: number;
  /** Nothing before this moment counts: a block ended then. `atNs` is never below it. */
  readonly floorNs: number;
  /**
   * True for a policy that blocks: a crossing takes the window with it. False for one that alerts:
   * the window stays, and only the step from the limit to one above it is a crossing.
   */
  readonly consumes: boolean;
}

/** Why it crossed, for the finding. */
export interface Hit {
  readonly tier?: BurstTier;
  readonly distinct?: number;
}

/**
 * State of one rule. It lives as long as the rule's hash (on + match + detect), so it must not depend
 * on anything else of the policy; what `then` changes comes in with each occasion.
 */
export interface Detector {
  /** Amortised constant time, whatever the key; bounded memory, whatever the keys. */
  step(occasion: Occasion): Hit | undefined;
  /**
   * Whether `step` would cross, without counting. Only of detectors that a kernel can run, whose
   * crossing refuses the attempt itself.
   */
  crosses?(occasion: Occasion): boolean;
  /** Empties the window of a key at once. */
  forget(lo: number, hi: number): void;
  readonly keys: number;
  /** State given up to make room. */
  readonly evictions: number;
}

export interface DetectorOptions {
  /** Most keys one rule may hold. */
  readonly capacity: number;
  readonly hasher: Hasher;
}

/** A row of the registry: makes the state of one rule. */
export interface DetectorType<D extends Detect = Detect> {
  readonly type: D['type'];
  create(detect: D, options: DetectorOptions): Detector;
}

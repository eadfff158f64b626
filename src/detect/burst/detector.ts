/** The detector `burst`: more than `limit` events, or distinct values, of one key within a window. */
import { WindowTable } from '../../lib/window-table.js';
import type { BurstTier, Detect } from '../../model/policy.js';
import type { Detector, DetectorOptions, DetectorType, Hit, Occasion } from '../detector.js';
import { DistinctBurst } from './distinct.js';

export type BurstDetect = Extract<Detect, { type: 'burst' }>;

/** Time stamps one rule may hold: with a high limit there is room for fewer keys. */
const STAMP_BYTES = 16 * 2 ** 20;
/** Below this a full table could not choose whom to give up. */
const LEAST_KEYS = 8;

export const burst: DetectorType<BurstDetect> = {
  type: 'burst',
  create: (detect, options) =>
    detect.distinct === undefined
      ? new Burst(detect, options)
      : new DistinctBurst(detect.tiers, detect.distinct, options),
};

/**
 * The window of a key ends at its newest stamp T, which is the event's own time unless it was
 * overtaken. With the event, more than `limit` stamps lie in (T - within, T] if and only if the
 * limit-th greatest of those before it does. One more slot tells whether the limit had been passed
 * before, which an alert must know; it is kept for blocking rules too, so that changing `then`
 * keeps the windows.
 */
class Burst implements Detector {
  readonly #tiers: readonly BurstTier[];
  readonly #hits: readonly Hit[];
  readonly #table: WindowTable;

  constructor(detect: BurstDetect, options: DetectorOptions) {
    this.#tiers = detect.tiers;
    this.#hits = detect.tiers.map((tier) => ({ tier }));
    const slots = Math.max(...detect.tiers.map((tier) => tier.limit)) + 1;
    this.#table = new WindowTable({
      slots,
      capacity: Math.max(LEAST_KEYS, Math.min(options.capacity, Math.floor(STAMP_BYTES / (8 * slots)))),
      withinNs: Math.max(...detect.tiers.map((tier) => tier.withinNs)),
    });
  }

  get keys(): number {
    return this.#table.size;
  }

  get evictions(): number {
    return this.#table.evictions;
  }

  step(occasion: Occasion): Hit | undefined {
    const row = this.#table.touch(occasion.lo, occasion.hi, occasion.atNs);
    const hit = this.#crossed(row, occasion);
    if (hit && occasion.consumes) this.#table.remove(occasion.lo, occasion.hi);
    else this.#table.add(row, occasion.atNs);
    return hit;
  }

  crosses(occasion: Occasion): boolean {
    const row = this.#table.find(occasion.lo, occasion.hi);
    return row < 0
      ? this.#tiers.some(({ limit }) => limit === 0)
      : this.#crossed(row, occasion) !== undefined;
  }

  forget(lo: number, hi: number): void {
    this.#table.remove(lo, hi);
  }

  #crossed(row: number, { atNs, floorNs, consumes }: Occasion): Hit | undefined {
    const end = Math.max(atNs, this.#table.nth(row, 0));
    for (let i = 0; i < this.#tiers.length; i++) {
      const { limit, withinNs } = this.#tiers[i] as BurstTier;
      const after = end - withinNs;
      if (atNs <= after) continue; // too late to lie in the window
      if (limit > 0 && !holds(this.#table.nth(row, limit - 1), after, floorNs)) continue;
      if (consumes || !holds(this.#table.nth(row, limit), after, floorNs)) return this.#hits[i];
    }
    return undefined;
  }
}

const holds = (stamp: number, after: number, floor: number): boolean => stamp > after && stamp >= floor;

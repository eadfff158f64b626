/** Burst over distinct values: more than `limit` different destinations, ports or users in a window. */
import type { Hasher } from '../../lib/hash.js';
import type { EventView } from '../../model/event.js';
import type { BurstTier, DistinctField } from '../../model/policy.js';
import { destinationId } from '../../model/subject.js';
import type { Detector, DetectorOptions, Hit, Occasion } from '../detector.js';
import { DistinctTable } from './distinct-table.js';

const VALUE: { readonly [F in DistinctField]: (event: EventView) => string | undefined } = {
  dst: (event) =>
    event.dstIp === undefined || event.dstPort === undefined
      ? undefined
      : destinationId(event.dstIp, event.dstPort),
  'dst.ip': (event) => event.dstIp,
  'dst.port': (event) => event.dstPort?.toString(),
  /** Who is being authenticated, else whose process it is. */
  user: (event) => event.auth?.user || event.user || undefined,
};

/** Each tier has a table of its own: what lies in one window need not lie in the other. */
export class DistinctBurst implements Detector {
  readonly #tiers: readonly BurstTier[];
  readonly #tables: readonly DistinctTable[];
  readonly #value: (event: EventView) => string | undefined;
  readonly #hasher: Hasher;

  constructor(tiers: readonly BurstTier[], field: DistinctField, options: DetectorOptions) {
    this.#tiers = tiers;
    this.#value = VALUE[field];
    this.#hasher = options.hasher;
    this.#tables = tiers.map(
      ({ limit, withinNs }) =>
        new DistinctTable({
          values: limit + 1,
          withinNs,
          capacity: options.capacity,
          hasher: options.hasher,
        }),
    );
  }

  get keys(): number {
    return this.#tables.reduce((most, table) => Math.max(most, table.size), 0);
  }

  get evictions(): number {
    return this.#tables.reduce((sum, table) => sum + table.evictions, 0);
  }

  /** An event that does not have the field counts for nothing. */
  step(occasion: Occasion): Hit | undefined {
    const value = this.#value(occasion.event);
    if (value === undefined) return undefined;
    this.#hasher.text(value);
    const { lo, hi } = this.#hasher;
    let hit: Hit | undefined;
    for (let i = 0; i < this.#tables.length; i++) {
      const tier = this.#tiers[i] as BurstTier;
      const before = (this.#tables[i] as DistinctTable).observe(occasion, lo, hi);
      const crossed = occasion.consumes ? before >= tier.limit : before === tier.limit;
      if (crossed) hit ??= { tier, distinct: before + 1 };
    }
    if (hit && occasion.consumes) this.forget(occasion.lo, occasion.hi);
    return hit;
  }

  forget(lo: number, hi: number): void {
    for (const table of this.#tables) table.forget(lo, hi);
  }
}

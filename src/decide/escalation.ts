/** How often a policy has blocked the same subject lately, and how much longer the next block lasts. */
import type { Then } from '../model/policy.js';
import { BoundedMap } from './bounded-map.js';
import type { Row } from './record.js';

const LIMIT = 65_536;
/** A block within this time of the last end escalates. */
const MEMORY_NS = 24 * 3600 * 1e9;

interface Strike {
  /** Blocks that have ended; the next one escalates so often. */
  readonly count: number;
  readonly endNs: number;
}

/** Length of a block after `strike` earlier ones, in ns. */
export const escalatedNs = (then: Then, strike: number): number => {
  if (then.escalate === undefined || strike === 0) return then.forNs;
  const { factor, maxNs } = then.escalate;
  // A ceiling below the first length never shortens a block.
  return Math.max(then.forNs, Math.min(maxNs, then.forNs * factor ** strike));
};

/** Strikes by subject key, then policy. The policies of one subject are as many as are configured. */
export class Strikes {
  readonly #table = new BoundedMap<Map<string, Strike>>(LIMIT);

  get evicted(): number {
    return this.#table.evicted;
  }

  /** Earlier blocks that still count at `atNs`. */
  of(key: string, policy: string, atNs: number): number {
    const strike = this.#table.get(key)?.get(policy);
    return strike !== undefined && atNs - strike.endNs <= MEMORY_NS ? strike.count : 0;
  }

  has(key: string): boolean {
    return this.#table.has(key);
  }

  /** A block ended. One with an extension ends twice at the same count, hence the later end holds. */
  note(key: string, policy: string, count: number, endNs: number): void {
    const row = this.#table.get(key) ?? new Map<string, Strike>();
    row.set(policy, { count, endNs: Math.max(endNs, row.get(policy)?.endNs ?? endNs) });
    this.#table.set(key, row);
  }

  forget(key: string): void {
    this.#table.delete(key);
  }

  forgetOne(key: string, policy: string): void {
    const row = this.#table.get(key);
    if (row?.delete(policy) && row.size === 0) this.#table.delete(key);
  }

  forgetPolicy(policy: string): void {
    for (const [key] of this.#table.entries()) this.forgetOne(key, policy);
  }

  clear(): void {
    this.#table.clear();
  }

  /** After a reboot: keeps the subjects that `keep` names and moves their ends by `deltaNs`. */
  rebase(keep: (key: string) => boolean, deltaNs: number): void {
    for (const [key, row] of this.#table.entries()) {
      if (!keep(key)) this.#table.delete(key);
      else for (const [policy, strike] of row) row.set(policy, { ...strike, endNs: strike.endNs + deltaNs });
    }
  }

  *rows(): Generator<Row> {
    for (const [key, row] of this.#table.entries())
      for (const [policy, { count, endNs }] of row) yield [key, policy, count, endNs];
  }

  load(rows: readonly Row[]): void {
    for (const [key, policy, count, endNs] of rows)
      this.note(String(key), String(policy), Number(count), Number(endNs));
  }
}

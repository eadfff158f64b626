/** Exact sliding windows over many keys: per key the newest few time stamps, all in typed arrays. */
import { enlarged, KeyTable } from './bounded.js';

export interface WindowOptions {
  /** Stamps kept per key, at least 1. Counts are exact up to this number. */
  readonly slots: number;
  /** Most keys; past it the cheapest in the neighbourhood of a new key makes room. */
  readonly capacity: number;
  /** The widest window in ns: a key without a stamp in it is worth nothing. */
  readonly withinNs: number;
}

/**
 * Each row is a ring of stamps in ascending order, always full: an unused slot holds -Infinity. It
 * keeps the `slots` greatest stamps whatever order they arrive in, so "are more than n in (t - w, t]"
 * is one comparison with the (n+1)-th greatest, exact for any disorder as long as t is the newest.
 *
 * A full table evicts, of a few rows drawn by the seeded hash, the one with the fewest stamps in the
 * window, the stalest first among equals. A flood of fresh keys holds one stamp each, so it displaces
 * expired and other fresh keys and never one that is on its way to a limit: to push out a window of
 * n stamps, its neighbours must hold n each, that is some n × capacity events within one window,
 * spread blindly since places are secret. Each eviction is counted.
 */
export class WindowTable {
  evictions = 0;
  readonly slots: number;
  readonly #withinNs: number;
  readonly #keys: KeyTable;
  /** slots × rows. */
  #stamps: Float64Array;
  /** Offset of the oldest stamp in the ring, per row. */
  #oldest: Uint32Array;
  #now = 0;

  constructor(options: WindowOptions) {
    this.slots = Math.max(1, options.slots);
    this.#withinNs = options.withinNs;
    this.#keys = new KeyTable(options.capacity);
    this.#stamps = new Float64Array(this.slots * this.#keys.rows);
    this.#oldest = new Uint32Array(this.#keys.rows);
  }

  get size(): number {
    return this.#keys.size;
  }

  /** The row of a key, or -1. A row is good until the next `touch` or `remove`. */
  find(lo: number, hi: number): number {
    return this.#keys.find(lo, hi);
  }

  /** The row of a key, made empty when it is new. `nowNs` tells which windows have run out. */
  touch(lo: number, hi: number, nowNs: number): number {
    const found = this.#keys.find(lo, hi);
    if (found >= 0) return found;
    if (this.#keys.isFull) this.#evict(lo, nowNs);
    const row = this.#keys.insert(lo, hi);
    if (this.#oldest.length < this.#keys.rows) this.#grow();
    this.#stamps.fill(Number.NEGATIVE_INFINITY, row * this.slots, (row + 1) * this.slots);
    this.#oldest[row] = 0;
    return row;
  }

  /** The n-th greatest stamp of a row, 0 being the newest; -Infinity when there are fewer. */
  nth(row: number, n: number): number {
    if (n >= this.slots) return Number.NEGATIVE_INFINITY;
    const offset = (this.#oldest[row] as number) + this.slots - 1 - n;
    return this.#stamps[row * this.slots + this.#wrap(offset)] as number;
  }

  /** Stamps in (afterNs, ∞), at most `slots`. */
  count(row: number, afterNs: number): number {
    let least = 0;
    let most = this.slots;
    while (least < most) {
      const middle = (least + most) >>> 1;
      if (this.nth(row, middle) > afterNs) least = middle + 1;
      else most = middle;
    }
    return least;
  }

  /** Takes a stamp in; one older than all kept is dropped, it is not among the greatest. */
  add(row: number, atNs: number): void {
    const base = row * this.slots;
    let hole = this.#oldest[row] as number;
    if (atNs <= (this.#stamps[base + hole] as number)) return;
    this.#oldest[row] = this.#wrap(hole + 1);
    // Late stamps sink to their place: one step for each stamp they were overtaken by, and no more
    // than there are slots, since the walk ends at the new oldest.
    for (let left = this.slots - 1; left > 0; left--) {
      const before = hole === 0 ? this.slots - 1 : hole - 1;
      const stamp = this.#stamps[base + before] as number;
      if (stamp <= atNs) break;
      this.#stamps[base + hole] = stamp;
      hole = before;
    }
    this.#stamps[base + hole] = atNs;
  }

  remove(lo: number, hi: number): void {
    const row = this.#keys.find(lo, hi);
    if (row >= 0) this.#keys.remove(row);
  }

  #wrap(offset: number): number {
    return offset < this.slots ? offset : offset - this.slots;
  }

  #evict(lo: number, nowNs: number): void {
    this.#now = nowNs;
    this.#keys.remove(this.#keys.cheapest(lo, this.#cheaper));
    this.evictions++;
  }

  readonly #cheaper = (row: number, than: number): boolean => {
    const after = this.#now - this.#withinNs;
    const count = this.count(row, after);
    const other = this.count(than, after);
    return count === other ? this.nth(row, 0) < this.nth(than, 0) : count < other;
  };

  #grow(): void {
    this.#stamps = enlarged(this.#stamps, new Float64Array(this.slots * this.#keys.rows));
    this.#oldest = enlarged(this.#oldest, new Uint32Array(this.#keys.rows));
  }
}

/** Which different values each key has shown within a window: exact, bounded, constant time. */
import { KeyTable } from '../../lib/bounded.js';
import type { Hasher } from '../../lib/hash.js';
import { StampLists } from './stamp-lists.js';

export interface DistinctOptions {
  /** Values kept per key. Counts are exact up to this number. */
  readonly values: number;
  readonly withinNs: number;
  /** Most keys. */
  readonly capacity: number;
  readonly hasher: Hasher;
}

/** A moment at which a key shows a value. */
export interface Showing {
  readonly atNs: number;
  /** Hash of the key. */
  readonly lo: number;
  readonly hi: number;
  /** What was shown before it no longer counts. */
  readonly floorNs: number;
}

/** Most values of all keys together: about 16 MiB. */
const MOST_VALUES = 400_000;

/**
 * A value lies in the window if and only if its latest stamp does, so one stamp per value is enough.
 * Of each key the `values` with the greatest latest stamps are kept, which is exact: a value that is
 * shown moves up, a new one takes the place of the one with the least stamp, and a value that was
 * pushed out stays below all that are kept until it is shown again. Hence for counts below `values`
 * nothing in the window is ever missing.
 *
 * Values are found by the hash of key and value together and hang in one list per key in order of
 * their stamps, so room is taken by values that exist, not by keys times limit. Full tables give up
 * what expired, then values of the keys with the fewest: a flood of keys or of values displaces
 * its own kind before a key that is near its limit.
 */
export class DistinctTable {
  evictions = 0;
  readonly #options: DistinctOptions;
  readonly #keys: KeyTable;
  readonly #values: KeyTable;
  readonly #lists: StampLists;
  #after = 0;

  constructor(options: DistinctOptions) {
    this.#options = options;
    const capacity = Math.max(1, options.capacity);
    this.#keys = new KeyTable(capacity);
    this.#values = new KeyTable(Math.max(options.values, Math.min(MOST_VALUES, capacity * options.values)));
    this.#lists = new StampLists(this.#keys.rows, this.#values.rows);
  }

  get size(): number {
    return this.#keys.size;
  }

  /**
   * Takes the value in. Answers how many other values the key had in the window before (at most
   * `values`), or -1 when this adds none: the value was there, or comes too late to lie in it.
   */
  observe(showing: Showing, valueLo: number, valueHi: number): number {
    const { lo, hi, atNs, floorNs } = showing;
    const list = this.#touch(lo, hi, atNs);
    const after = Math.max(atNs, this.#lists.newest(list)) - this.#options.withinNs;
    this.#prune(list, after, floorNs);
    if (atNs <= after) return -1;
    this.#options.hasher.pair(lo, hi, valueLo, valueHi);
    const { lo: nodeLo, hi: nodeHi } = this.#options.hasher;
    const known = this.#values.find(nodeLo, nodeHi);
    if (known >= 0) {
      this.#lists.raise(known, atNs);
      return -1;
    }
    const before = this.#lists.length(list);
    if (before === this.#options.values) {
      if (atNs <= this.#lists.oldest(list)) return before;
      this.#drop(this.#lists.first(list));
    }
    this.#append(list, nodeLo, nodeHi, atNs);
    return before;
  }

  forget(lo: number, hi: number): void {
    const list = this.#keys.find(lo, hi);
    if (list >= 0) this.#remove(list);
  }

  #touch(lo: number, hi: number, atNs: number): number {
    const found = this.#keys.find(lo, hi);
    if (found >= 0) return found;
    if (this.#keys.isFull) {
      this.#after = atNs - this.#options.withinNs;
      this.#remove(this.#keys.cheapest(lo, this.#cheaperKey));
      this.evictions++;
    }
    const list = this.#keys.insert(lo, hi);
    this.#lists.growLists(this.#keys.rows);
    this.#lists.clear(list);
    return list;
  }

  #append(list: number, lo: number, hi: number, atNs: number): void {
    if (this.#values.isFull) {
      this.#after = atNs - this.#options.withinNs;
      this.#drop(this.#values.cheapest(lo, this.#cheaperValue));
      this.evictions++;
    }
    const node = this.#values.insert(lo, hi);
    this.#lists.growNodes(this.#values.rows);
    this.#lists.add(list, node, atNs);
  }

  #prune(list: number, after: number, floor: number): void {
    // Each value is dropped once, so this is constant time per value taken in.
    while (this.#lists.length(list) > 0) {
      const oldest = this.#lists.oldest(list);
      if (oldest > after && oldest >= floor) return;
      this.#drop(this.#lists.first(list));
    }
  }

  #drop(node: number): void {
    this.#lists.unlink(node);
    this.#values.remove(node);
  }

  #remove(list: number): void {
    while (this.#lists.length(list) > 0) this.#drop(this.#lists.first(list));
    this.#keys.remove(list);
  }

  #worth(list: number): number {
    return this.#lists.newest(list) > this.#after ? this.#lists.length(list) : 0;
  }

  readonly #cheaperKey = (a: number, b: number): boolean => {
    const difference = this.#worth(a) - this.#worth(b);
    return difference === 0 ? this.#lists.newest(a) < this.#lists.newest(b) : difference < 0;
  };

  readonly #cheaperValue = (a: number, b: number): boolean => {
    const [atA, atB] = [this.#lists.stamp(a), this.#lists.stamp(b)];
    const worthA = atA > this.#after ? this.#lists.length(this.#lists.owner(a)) : 0;
    const worthB = atB > this.#after ? this.#lists.length(this.#lists.owner(b)) : 0;
    return worthA === worthB ? atA < atB : worthA < worthB;
  };
}

/** A bounded set of 64-bit keys: gives each a row number, and names the cheapest row when it is full. */

/** Rows compared when one must go: enough that the least valuable one near any key is a cheap one. */
const NEIGHBOURS = 8;
const FIRST_ROWS = 64;

/** True when the first row is worth less than the second, and goes sooner. */
export type Cheaper = (row: number, than: number) => boolean;

/**
 * Open addressing with linear probing, never more than half full, removal by shifting back (so there
 * are no tombstones that a flood could pile up). Payload lives with the owner, in arrays indexed by
 * row; a row keeps its number until it is removed. Rows are taken on demand up to `limit`.
 */
export class KeyTable {
  readonly limit: number;
  /** Rows the owner's arrays must hold now; it grows in `insert` only. */
  rows: number;
  size = 0;
  #lo: Uint32Array;
  #hi: Uint32Array;
  /** Row + 1 by place; 0 is an empty place. */
  #places: Int32Array;
  #mask: number;
  /** Row + 1 that was given back last, 0 for none; in its `lo` stands the one before it. */
  #free = 0;

  constructor(limit: number) {
    this.limit = Math.max(1, Math.floor(limit));
    this.rows = Math.min(this.limit, FIRST_ROWS);
    this.#lo = new Uint32Array(this.rows);
    this.#hi = new Uint32Array(this.rows);
    this.#places = new Int32Array(placesFor(this.rows));
    this.#mask = this.#places.length - 1;
  }

  /** True when nothing can be inserted before a row is removed. */
  get isFull(): boolean {
    return this.size === this.limit;
  }

  /** The row of a key, or -1. */
  find(lo: number, hi: number): number {
    for (let place = lo & this.#mask; ; place = (place + 1) & this.#mask) {
      const row = (this.#places[place] as number) - 1;
      if (row < 0 || (this.#lo[row] === lo && this.#hi[row] === hi)) return row;
    }
  }

  /** Adds a key that is not there, when the table is not full; the row's payload holds anything. */
  insert(lo: number, hi: number): number {
    if (this.size === this.rows) this.#grow();
    // Rows in use are contiguous until one is given back, so the next fresh one is the count of both.
    const row = this.#free > 0 ? this.#free - 1 : this.size;
    if (this.#free > 0) this.#free = this.#lo[row] as number;
    this.#lo[row] = lo;
    this.#hi[row] = hi;
    this.#place(row);
    this.size++;
    return row;
  }

  remove(row: number): void {
    let hole = this.#placeOf(row);
    let place = hole;
    for (;;) {
      place = (place + 1) & this.#mask;
      const next = (this.#places[place] as number) - 1;
      if (next < 0) break;
      const home = (this.#lo[next] as number) & this.#mask;
      // A key may move into the hole only if its search, begun at home, passes there.
      if (((place - home) & this.#mask) >= ((place - hole) & this.#mask)) {
        this.#places[hole] = next + 1;
        hole = place;
      }
    }
    this.#places[hole] = 0;
    this.#lo[row] = this.#free;
    this.#free = row + 1;
    this.size--;
  }

  /**
   * The least valuable of the first few rows from the place where a key would begin its search. The
   * hash is seeded, so these are a random draw. The table must not be empty.
   */
  cheapest(lo: number, cheaper: Cheaper): number {
    let best = -1;
    const wanted = Math.min(NEIGHBOURS, this.size);
    for (let place = lo & this.#mask, seen = 0; seen < wanted; place = (place + 1) & this.#mask) {
      const row = (this.#places[place] as number) - 1;
      if (row < 0) continue;
      seen++;
      if (best < 0 || cheaper(row, best)) best = row;
    }
    return best;
  }

  #place(row: number): void {
    let place = (this.#lo[row] as number) & this.#mask;
    while (this.#places[place] !== 0) place = (place + 1) & this.#mask;
    this.#places[place] = row + 1;
  }

  #placeOf(row: number): number {
    let place = (this.#lo[row] as number) & this.#mask;
    while (this.#places[place] !== row + 1) place = (place + 1) & this.#mask;
    return place;
  }

  #grow(): void {
    const used = this.rows;
    this.rows = Math.min(this.limit, used * 2);
    this.#lo = enlarged(this.#lo, new Uint32Array(this.rows));
    this.#hi = enlarged(this.#hi, new Uint32Array(this.rows));
    this.#places = new Int32Array(placesFor(this.rows));
    this.#mask = this.#places.length - 1;
    for (let row = 0; row < used; row++) this.#place(row);
  }
}

const placesFor = (rows: number): number => 2 ** Math.ceil(Math.log2(rows * 2));

/** Copies a payload array into a longer one. */
export const enlarged = <T extends Int32Array | Uint32Array | Float64Array>(from: T, to: T): T => {
  to.set(from);
  return to;
};

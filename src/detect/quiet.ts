/** Subjects a rule has had blocked, and until when it therefore counts nothing for them. */
import { enlarged, KeyTable } from '../lib/bounded.js';

/**
 * A crossing that blocks ends the window: attempts already under way when the verdict is written
 * must not cross again, and the end of the block starts an empty window. Both follow from one number
 * per subject, its floor: no event before it counts. A floor in the past keeps stamps of other
 * windows under the same subject (processes of a blocked cgroup) from counting after the block.
 */
export class Quiet {
  evictions = 0;
  readonly #table: KeyTable;
  #floors: Float64Array;

  constructor(capacity: number) {
    this.#table = new KeyTable(capacity);
    this.#floors = new Float64Array(this.#table.rows);
  }

  get size(): number {
    return this.#table.size;
  }

  /** -Infinity when nothing was blocked. */
  floor(lo: number, hi: number): number {
    const row = this.#table.find(lo, hi);
    return row < 0 ? Number.NEGATIVE_INFINITY : (this.#floors[row] as number);
  }

  set(lo: number, hi: number, floorNs: number): void {
    const row = this.#touch(lo, hi);
    this.#floors[row] = floorNs;
  }

  remove(lo: number, hi: number): void {
    const row = this.#table.find(lo, hi);
    if (row >= 0) this.#table.remove(row);
  }

  #touch(lo: number, hi: number): number {
    const found = this.#table.find(lo, hi);
    if (found >= 0) return found;
    if (this.#table.isFull) {
      // Losing a floor in force costs a second finding at worst: what the block denies feeds nothing.
      this.#table.remove(this.#table.cheapest(lo, this.#sooner));
      this.evictions++;
    }
    const row = this.#table.insert(lo, hi);
    if (this.#floors.length < this.#table.rows) {
      this.#floors = enlarged(this.#floors, new Float64Array(this.#table.rows));
    }
    return row;
  }

  readonly #sooner = (a: number, b: number): boolean =>
    (this.#floors[a] as number) < (this.#floors[b] as number);
}

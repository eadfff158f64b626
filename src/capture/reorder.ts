/** Puts lines that come slightly out of order into order, within bounds of time and number. */
import { Heap } from '../lib/heap.js';

export interface ReorderOptions {
  /** A line waits until one this much later has come. */
  readonly waitNs: number;
  /** Lines that wait at most; beyond it the earliest goes first. */
  readonly most: number;
}

/**
 * The kernel's rings are drained one after the other, and CPUs write to them side by side: what comes
 * is in order but for a little. A line that comes after a later one has been given out is too late.
 */
export class Reorder {
  /** Lines given up because they came too late. */
  late = 0;
  readonly #options: ReorderOptions;
  readonly #waiting = new Heap<string>();
  #newestNs = Number.NEGATIVE_INFINITY;
  #givenNs = Number.NEGATIVE_INFINITY;
  #settledNs = Number.NEGATIVE_INFINITY;

  constructor(options: ReorderOptions) {
    this.#options = options;
  }

  /** Takes a line in; gives out, through `give`, those whose turn has come. */
  push(atNs: number, line: string, give: (line: string) => void): void {
    if (atNs < this.#givenNs) {
      this.late++;
      return;
    }
    this.#waiting.push(atNs, line);
    if (atNs > this.#newestNs) this.#newestNs = atNs;
    const dueNs = this.#newestNs - this.#options.waitNs;
    while (this.#waiting.least <= dueNs || this.#waiting.size > this.#options.most) this.#give(give);
  }

  /**
   * Gives out what was there at the last call, whatever comes after it. To be called now and then: on a
   * quiet host nothing later comes to make room.
   */
  settle(give: (line: string) => void): void {
    while (this.#waiting.least <= this.#settledNs) this.#give(give);
    this.#settledNs = this.#newestNs;
  }

  /** Gives out all that wait: nothing more comes. */
  end(give: (line: string) => void): void {
    while (this.#waiting.size > 0) this.#give(give);
  }

  #give(give: (line: string) => void): void {
    this.#givenNs = this.#waiting.least;
    const line = this.#waiting.pop();
    if (line !== undefined) give(line);
  }
}

/** Events per second over the last ten seconds, in ten slots of a second. */

const SLOTS = 10;
const SECOND_NS = 1e9;

export class Rate {
  /** All since the start. */
  total = 0;
  readonly #counts = new Float64Array(SLOTS);
  readonly #seconds = new Float64Array(SLOTS).fill(-1);
  readonly #bornNs: number;

  /** Times are nanoseconds since boot; `bornNs`: when counting began. */
  constructor(bornNs: number) {
    this.#bornNs = bornNs;
  }

  add(count: number, nowNs: number): void {
    const second = Math.floor(nowNs / SECOND_NS);
    const slot = second % SLOTS;
    if (this.#seconds[slot] !== second) {
      this.#seconds[slot] = second;
      this.#counts[slot] = 0;
    }
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
    this.total += count;
  }

  /** Mean over the slots that are still in the window; over the time since the start when that is shorter. */
  perSecond(nowNs: number): number {
    const second = Math.floor(nowNs / SECOND_NS);
    let sum = 0;
    for (let slot = 0; slot < SLOTS; slot++) {
      const age = second - (this.#seconds[slot] ?? -1);
      if (age >= 0 && age < SLOTS) sum += this.#counts[slot] ?? 0;
    }
    // The current second is not over: nine whole ones and what has passed of it.
    const windowS = SLOTS - 1 + (nowNs / SECOND_NS - second);
    const aliveS = (nowNs - this.#bornNs) / SECOND_NS;
    return sum / Math.max(1, Math.min(windowS, aliveS));
  }
}

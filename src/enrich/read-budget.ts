/** How many times a second /proc may be read for others: a flood of new processes must not stall the agent. */

export class ReadBudget {
  /** Requests that went beyond the budget. */
  refused = 0;
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  #second = Number.NEGATIVE_INFINITY;
  #left = 0;

  /** `nowMs`: any clock that never goes back. */
  constructor(perSecond: number, nowMs: () => number) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /** True when one more read is allowed in this second. */
  take(): boolean {
    const now = this.#nowMs();
    if (now - this.#second >= 1000) {
      this.#second = now;
      this.#left = this.#perSecond;
    }
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    this.refused++;
    return false;
  }
}

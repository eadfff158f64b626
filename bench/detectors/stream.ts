/** Events of many keys in even steps of time, the keys drawn at random but the same in every run. */
import type { Stretch } from './layouts.js';
import { WITHIN_NS } from './layouts.js';

/** Events of one key that lie in a window on the average: few keys cross. */
const MEAN = 2;

/** A bijection of 32-bit numbers (the finalizer of MurmurHash3): distinct keys stay distinct. */
const spread = (number: number): number => {
  let h = number;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

export class Stream {
  readonly #keys: number;
  readonly #stepNs: number;
  #state = 0x9e3779b9;
  #atNs = WITHIN_NS;

  constructor(keys: number) {
    this.#keys = keys;
    this.#stepNs = WITHIN_NS / (MEAN * keys);
  }

  /** Each key once, so that what follows meets full tables. */
  first(): Stretch {
    return this.#stretch(this.#keys, (i) => i);
  }

  next(events: number): Stretch {
    return this.#stretch(events, () => this.#random() % this.#keys);
  }

  #stretch(events: number, pick: (i: number) => number): Stretch {
    const lo = new Uint32Array(events);
    const hi = new Uint32Array(events);
    for (let i = 0; i < events; i++) {
      const key = pick(i);
      lo[i] = spread(key + 1);
      hi[i] = spread(~key);
    }
    const startNs = this.#atNs;
    this.#atNs += events * this.#stepNs;
    return { lo, hi, startNs, stepNs: this.#stepNs };
  }

  /** Xorshift. */
  #random(): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return this.#state >>> 0;
  }
}

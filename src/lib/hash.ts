/** Seeded 64-bit hash of short texts (HalfSipHash-2-4), as two unsigned 32-bit halves. */
import { randomInt } from 'node:crypto';

/** Two unsigned 32-bit numbers. Whoever knows the seed can craft collisions: keep it to the process. */
export type Seed = readonly [number, number];

const HALF = 2 ** 32;

/** A fresh seed from the system's randomness. */
export const randomSeed = (): Seed => [randomInt(HALF), randomInt(HALF)];

/**
 * Tables are filled with keys an attacker picks (pids, addresses, user names), so the hash is a keyed
 * one: without the seed nobody can aim two keys at one place. A result is left in `lo` and `hi` until
 * the next call, so hashing allocates nothing.
 */
export class Hasher {
  lo = 0;
  hi = 0;
  readonly #k0: number;
  readonly #k1: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(seed: Seed) {
    this.#k0 = seed[0] | 0;
    this.#k1 = seed[1] | 0;
  }

  /** Hashes a text as its UTF-16 code units, low byte first. */
  text(text: string): void {
    this.#start();
    const length = text.length;
    const pairs = length & ~1;
    for (let i = 0; i < pairs; i += 2) this.#mix(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    this.#finish(length * 2, length === pairs ? 0 : text.charCodeAt(pairs));
  }

  /** Hashes two hashes into one; the order of the two matters. */
  pair(lo1: number, hi1: number, lo2: number, hi2: number): void {
    this.#start();
    this.#mix(lo1 | 0);
    this.#mix(hi1 | 0);
    this.#mix(lo2 | 0);
    this.#mix(hi2 | 0);
    this.#finish(16, 0);
  }

  #start(): void {
    this.#v0 = this.#k0;
    this.#v1 = this.#k1 ^ 0xee;
    this.#v2 = this.#k0 ^ 0x6c796765;
    this.#v3 = this.#k1 ^ 0x74656462;
  }

  #mix(word: number): void {
    this.#v3 ^= word;
    this.#round();
    this.#round();
    this.#v0 ^= word;
  }

  #finish(bytes: number, rest: number): void {
    this.#mix((bytes << 24) | rest);
    this.#v2 ^= 0xee;
    for (let i = 0; i < 4; i++) this.#round();
    this.lo = (this.#v1 ^ this.#v3) >>> 0;
    this.#v1 ^= 0xdd;
    for (let i = 0; i < 4; i++) this.#round();
    this.hi = (this.#v1 ^ this.#v3) >>> 0;
  }

  #round(): void {
    let v0 = (this.#v0 + this.#v1) | 0;
    let v1 = rotate(this.#v1, 5) ^ v0;
    v0 = rotate(v0, 16);
    let v2 = (this.#v2 + this.#v3) | 0;
    let v3 = rotate(this.#v3, 8) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = rotate(v3, 7) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = rotate(v1, 13) ^ v2;
    v2 = rotate(v2, 16);
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

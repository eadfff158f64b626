/** The keyed hash agrees with the published vectors of HalfSipHash-2-4 and depends on every input. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hasher, randomSeed } from '../../../src/lib/hash.js';

/** The seed of the published vectors: the bytes 0 to 7. */
const SEED = [0x03020100, 0x07060504] as const;

/** 64-bit tags of the inputs `00 01 02 …`, by their length in bytes. */
const VECTORS: readonly [bytes: number, tag: string][] = [
  [0, '218d1f59b9b83cc8'],
  [2, '064f39ef7c50eb57'],
  [4, 'd5e78a175be52ea1'],
  [6, 'ce3e91358aa2bc25'],
  [8, 'edfee820bce4858c'],
  [10, '95b0469f06a6f2ee'],
  [12, '7bc71f9faef5c799'],
  [14, '3bb1a870eae8e658'],
  [16, '7336aad25f7bf3b5'],
  [18, 'c9b2db2b9a3e42f9'],
  [30, '291aaf864898179d'],
  [62, 'f90b3ab572d46693'],
];

const textOf = (bytes: number): string => {
  let text = '';
  for (let i = 0; i < bytes; i += 2) text += String.fromCharCode(i | ((i + 1) << 8));
  return text;
};

const tagOf = (hasher: Hasher): string => {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(hasher.lo, 0);
  out.writeUInt32LE(hasher.hi, 4);
  return out.toString('hex');
};

describe('Hasher', () => {
  it.each(VECTORS)('gives the published tag of %i bytes', (bytes, tag) => {
    const hasher = new Hasher(SEED);
    hasher.text(textOf(bytes));
    expect(tagOf(hasher)).toBe(tag);
  });

  it('hashes a pair as the sixteen bytes it is made of', () => {
    const hasher = new Hasher(SEED);
    hasher.pair(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);
    expect(tagOf(hasher)).toBe('7336aad25f7bf3b5');
  });

  it('depends on text and seed', () => {
    const half = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.string(), fc.string(), half, half, (a, b, k0, k1) => {
        fc.pre(a !== b);
        const hasher = new Hasher([k0, k1]);
        hasher.text(a);
        const first = tagOf(hasher);
        hasher.text(b);
        expect(tagOf(hasher)).not.toBe(first);
        const other = new Hasher([k0, (k1 + 1) >>> 0]);
        other.text(a);
        expect(tagOf(other)).not.toBe(first);
      }),
    );
  });

  it('draws unequal seeds of 32-bit halves', () => {
    const [a, b] = [randomSeed(), randomSeed()];
    expect(a).not.toEqual(b);
    for (const half of [...a, ...b]) expect(half >>> 0).toBe(half);
  });
});

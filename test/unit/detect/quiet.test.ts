/** The floors of blocked subjects: set, read, removed, bounded. */
import { describe, expect, it } from 'vitest';
import { Quiet } from '../../../src/detect/quiet.js';
import { Hasher } from '../../../src/lib/hash.js';

const NONE = Number.NEGATIVE_INFINITY;

describe('Quiet', () => {
  it('answers the last floor of a subject', () => {
    const quiet = new Quiet(10);
    expect(quiet.floor(1, 2)).toBe(NONE);
    quiet.set(1, 2, 30);
    quiet.set(1, 2, 20);
    expect(quiet.floor(1, 2)).toBe(20);
    expect(quiet.floor(2, 1)).toBe(NONE);
    quiet.remove(1, 2);
    quiet.remove(1, 2);
    expect(quiet.floor(1, 2)).toBe(NONE);
  });

  it('keeps its floors while it grows', () => {
    const quiet = new Quiet(1000);
    for (let i = 0; i < 1000; i++) quiet.set(i, 0, i);
    for (let i = 0; i < 1000; i++) expect(quiet.floor(i, 0)).toBe(i);
    expect(quiet.evictions).toBe(0);
  });

  it('is bounded, and gives up the floors that end first', () => {
    const quiet = new Quiet(256);
    const hasher = new Hasher([5, 6]);
    const late: [number, number][] = [];
    for (let i = 0; i < 5000; i++) {
      hasher.text(`subject ${i}`);
      const lasting = i < 20;
      if (lasting) late.push([hasher.lo, hasher.hi]);
      quiet.set(hasher.lo, hasher.hi, lasting ? 1e6 : i);
    }
    expect(quiet.size).toBe(256);
    expect(quiet.evictions).toBe(5000 - 256);
    for (const [lo, hi] of late) expect(quiet.floor(lo, hi)).toBe(1e6);
  });
});

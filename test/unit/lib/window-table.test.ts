/** The window table against a list of all time stamps, and against floods of keys. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Hasher } from '../../../src/lib/hash.js';
import { WindowTable } from '../../../src/lib/window-table.js';

const NONE = Number.NEGATIVE_INFINITY;

/** Mostly forward in small steps, sometimes back, with many equal stamps. */
const stream = fc.array(
  fc.record({ key: fc.integer({ min: 0, max: 5 }), step: fc.integer({ min: -6, max: 9 }) }),
  { maxLength: 300 },
);

const newestFirst = (stamps: readonly number[]): number[] => [...stamps].sort((a, b) => b - a);

describe('WindowTable', () => {
  it('keeps the greatest stamps of each key, whatever order they come in', () => {
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 7 }), (events, slots) => {
        const table = new WindowTable({ slots, capacity: 100, withinNs: 10 });
        const naive = new Map<number, number[]>();
        let now = 1000;
        for (const { key, step } of events) {
          now += step;
          const all = naive.get(key) ?? [];
          naive.set(key, all);
          const row = table.touch(key, 7, now);
          table.add(row, now);
          all.push(now);
          const sorted = newestFirst(all);
          for (let n = 0; n <= slots; n++) {
            expect(table.nth(row, n)).toBe(n < slots ? (sorted[n] ?? NONE) : NONE);
          }
          const after = now - 10;
          expect(table.count(row, after)).toBe(Math.min(slots, all.filter((s) => s > after).length));
        }
        expect(table.evictions).toBe(0);
        expect(table.size).toBe(naive.size);
      }),
    );
  });

  it('says exactly whether more than n stamps lie in (t - w, t]', () => {
    fc.assert(
      fc.property(
        stream,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 30 }),
        (events, n, within) => {
          const table = new WindowTable({ slots: n + 1, capacity: 100, withinNs: within });
          const naive = new Map<number, number[]>();
          let now = 1000;
          for (const { key, step } of events) {
            now += step;
            const all = [...(naive.get(key) ?? []), now];
            naive.set(key, all);
            const row = table.touch(key, 0, now);
            table.add(row, now);
            const t = Math.max(...all);
            expect(table.nth(row, n) > t - within).toBe(
              all.filter((s) => s > t - within && s <= t).length > n,
            );
          }
        },
      ),
    );
  });

  it('starts empty after removal', () => {
    const table = new WindowTable({ slots: 3, capacity: 10, withinNs: 10 });
    for (const at of [1, 2, 3]) table.add(table.touch(1, 1, at), at);
    table.remove(1, 1);
    table.remove(1, 1);
    expect(table.find(1, 1)).toBe(-1);
    expect(table.count(table.touch(1, 1, 4), NONE)).toBe(0);
  });

  it('keeps its stamps while it grows', () => {
    const table = new WindowTable({ slots: 2, capacity: 5000, withinNs: 1e9 });
    for (let i = 0; i < 5000; i++) table.add(table.touch(i, i, i), i);
    expect(table.evictions).toBe(0);
    for (let i = 0; i < 5000; i++) expect(table.nth(table.find(i, i), 0)).toBe(i);
  });
});

describe('WindowTable under a flood of keys', () => {
  const hasher = new Hasher([1, 2]);
  const touch = (table: WindowTable, name: string, at: number): void => {
    hasher.text(name);
    table.add(table.touch(hasher.lo, hasher.hi, at), at);
  };
  const countOf = (table: WindowTable, name: string, after: number): number => {
    hasher.text(name);
    const row = table.find(hasher.lo, hasher.hi);
    return row < 0 ? 0 : table.count(row, after);
  };

  it('never displaces a key with more stamps than the flood has per key', () => {
    const table = new WindowTable({ slots: 6, capacity: 1024, withinNs: 1e6 });
    for (let i = 0; i < 50; i++) for (let n = 0; n < 2 + (i % 4); n++) touch(table, `attacker ${i}`, n);
    for (let i = 0; i < 40_000; i++) touch(table, `chaff ${i}`, 10 + i);
    for (let i = 0; i < 50; i++) expect(countOf(table, `attacker ${i}`, -1)).toBe(2 + (i % 4));
    expect(table.size).toBe(1024);
    expect(table.evictions).toBe(40_000 + 50 - 1024);
  });

  it('gives up expired windows first, however full they are', () => {
    const table = new WindowTable({ slots: 6, capacity: 1024, withinNs: 1000 });
    for (let i = 0; i < 1000; i++) for (let n = 0; n < 5; n++) touch(table, `old ${i}`, n);
    for (let i = 0; i < 20; i++) touch(table, `live ${i}`, 5000);
    for (let i = 0; i < 300; i++) touch(table, `new ${i}`, 5001);
    for (let i = 0; i < 20; i++) expect(countOf(table, `live ${i}`, 4000)).toBe(1);
  });

  it('gives up the stalest of equals, so that fresh keys get their turn', () => {
    const table = new WindowTable({ slots: 6, capacity: 1024, withinNs: 1e9 });
    for (let i = 0; i < 20_000; i++) touch(table, `key ${i}`, i);
    const kept = Array.from({ length: 20_000 }, (_, i) => i).filter(
      (i) => countOf(table, `key ${i}`, -1) > 0,
    );
    expect(kept).toHaveLength(1024);
    expect(kept.filter((i) => i >= 20_000 - 3 * 1024).length).toBeGreaterThan(1000);
  });
});

/** The key table behaves as a Map of rows, in the thickest of collisions too. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyTable } from '../../../src/lib/bounded.js';

/** Few home places and few keys, so that clusters form, wrap around and are cut by removals. */
const key = fc.record({
  lo: fc.oneof(fc.integer({ min: 120, max: 130 }), fc.constant(2 ** 32 - 1), fc.constant(2 ** 31)),
  hi: fc.integer({ min: 0, max: 12 }),
});
const step = fc.record({ key, remove: fc.boolean() });
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

interface Entry {
  readonly lo: number;
  readonly hi: number;
  readonly row: number;
}

/** Inserts an absent key, or removes a present one when asked to, in table and model alike. */
const apply = (table: KeyTable, model: Map<string, Entry>, { key: k, remove }: Step): void => {
  const name = `${k.lo}:${k.hi}`;
  const known = model.get(name);
  expect(table.find(k.lo, k.hi)).toBe(known?.row ?? -1);
  if (known === undefined) model.set(name, { ...k, row: table.insert(k.lo, k.hi) });
  else if (remove) {
    table.remove(known.row);
    model.delete(name);
  }
};

describe('KeyTable', () => {
  it('finds what was inserted and not removed, at an unchanged row', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600 }), (steps) => {
        const table = new KeyTable(500);
        const model = new Map<string, Entry>();
        for (const each of steps) apply(table, model, each);
        expect(table.size).toBe(model.size);
        const rows = [...model.values()].map((entry) => entry.row);
        expect(new Set(rows).size).toBe(rows.length);
        for (const entry of model.values()) expect(table.find(entry.lo, entry.hi)).toBe(entry.row);
      }),
    );
  });

  it('grows to its limit and no further', () => {
    const table = new KeyTable(100);
    for (let i = 0; i < 100; i++) {
      expect(table.isFull).toBe(false);
      expect(table.insert(i, i)).toBeLessThan(table.rows);
    }
    expect(table.isFull).toBe(true);
    expect(table.rows).toBe(100);
    for (let i = 0; i < 100; i++) expect(table.find(i, i)).toBeGreaterThanOrEqual(0);
  });

  it('holds one key when asked for none', () => {
    const table = new KeyTable(0);
    table.insert(1, 2);
    expect(table.isFull).toBe(true);
    expect(table.find(1, 2)).toBe(0);
  });

  it('names the cheapest of the rows around a place', () => {
    const table = new KeyTable(64);
    const worth = new Map<number, number>();
    // All eight neighbours of place 32 are in the table; the others begin far from it.
    for (let i = 0; i < 8; i++) worth.set(table.insert(32 + i, 0), 10 - i);
    for (let i = 0; i < 8; i++) worth.set(table.insert(80 + i, 0), -1);
    const cheapest = table.cheapest(32, (a, b) => (worth.get(a) ?? 0) < (worth.get(b) ?? 0));
    expect(worth.get(cheapest)).toBe(3);
  });

  it('names a row wherever the only one is', () => {
    const table = new KeyTable(64);
    const row = table.insert(5, 0);
    for (let lo = 0; lo < 128; lo++) expect(table.cheapest(lo, () => false)).toBe(row);
  });
});

/** The table of distinct values: late arrivals, bounds, and who is given up when it is full. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DistinctTable } from '../../../../src/detect/burst/distinct-table.js';
import { Hasher } from '../../../../src/lib/hash.js';

const OPEN = Number.NEGATIVE_INFINITY;

const tableOf = (values: number, withinNs: number, capacity: number) => {
  const hasher = new Hasher([3, 4]);
  const table = new DistinctTable({ values, withinNs, capacity, hasher });
  const show = (key: string, value: string, atNs: number, floorNs = OPEN): number => {
    hasher.text(value);
    const { lo: valueLo, hi: valueHi } = hasher;
    hasher.text(key);
    return table.observe({ atNs, lo: hasher.lo, hi: hasher.hi, floorNs }, valueLo, valueHi);
  };
  const forget = (key: string): void => {
    hasher.text(key);
    table.forget(hasher.lo, hasher.hi);
  };
  return { table, show, forget };
};

const showings = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'b'),
    value: fc.integer({ min: 1, max: 9 }),
    step: fc.oneof(fc.integer({ min: -4, max: 5 }), fc.integer({ min: -15, max: 17 })),
  }),
  { maxLength: 250 },
);

interface Seen {
  readonly value: number;
  readonly at: number;
}

/** How many other values lie in the window before, and whether this one adds to them. */
const expected = (seen: readonly Seen[], { value, at }: Seen, withinNs: number) => {
  const after = Math.max(at, ...seen.map((each) => each.at)) - withinNs;
  const inside = new Set(seen.filter((each) => each.at > after).map((each) => each.value));
  return { before: inside.size, adds: at > after && !inside.has(value) };
};

describe('DistinctTable', () => {
  it('knows how many other values lay in the window, up to its number of values', () => {
    fc.assert(
      fc.property(showings, fc.integer({ min: 1, max: 5 }), (list, values) => {
        const { table, show } = tableOf(values, 10, 100);
        const naive = new Map<string, Seen[]>();
        let at = 100;
        for (const { key, value, step } of list) {
          at += step;
          const seen = naive.get(key) ?? [];
          naive.set(key, [...seen, { value, at }]);
          const { before, adds } = expected(seen, { value, at }, 10);
          const got = show(key, String(value), at);
          // A value pushed out by `values` newer ones may lie in the window still: told as not less than that.
          if (before < values) expect(got).toBe(adds ? before : -1);
          else expect([-1, values]).toContain(got);
        }
        expect(table.evictions).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out what was shown before the floor', () => {
    const { show } = tableOf(4, 100, 10);
    show('a', 'x', 1);
    show('a', 'y', 5);
    expect(show('a', 'z', 6, 5)).toBe(1);
  });

  it('starts empty after forget, which may come twice', () => {
    const { table, show, forget } = tableOf(4, 100, 10);
    for (const value of ['x', 'y', 'z']) show('a', value, 1);
    forget('a');
    forget('a');
    expect(table.size).toBe(0);
    expect(show('a', 'x', 2)).toBe(0);
  });

  it('is not talked out of a key near its limit by a flood of keys', () => {
    const { table, show } = tableOf(6, 1e9, 512);
    for (let i = 0; i < 5; i++) show('scanner', `port ${i}`, i);
    for (let i = 0; i < 20_000; i++) show(`chaff ${i}`, 'port 1', 10 + i);
    expect(table.size).toBe(512);
    expect(table.evictions).toBe(20_000 + 1 - 512);
    expect(show('scanner', 'port 9', 30_000)).toBe(5);
  });

  it('bounds the values of all keys together, and gives up those of keys that show few', () => {
    const values = 4001;
    const { table, show } = tableOf(values, 1e15, 1000);
    for (let i = 0; i < 4000; i++) show('scanner', `port ${i}`, i);
    let evicted = 0;
    for (let i = 0; evicted < 5000; i++) {
      show(`chaff ${i % 900}`, `port ${i}`, 5000 + i);
      evicted = table.evictions;
      if (i > 420_000) break;
    }
    expect(evicted).toBe(5000);
    expect(show('scanner', 'port 4000', 1e9)).toBe(4000);
  });
});

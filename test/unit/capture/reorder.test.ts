/** Lines that come out of order: in order afterwards, within bounds, and what came too late is counted. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Reorder } from '../../../src/capture/reorder.js';
import { Heap } from '../../../src/lib/heap.js';

describe('the heap', () => {
  it('gives the smallest first, and equals as they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (keys) => {
        const heap = new Heap<string>();
        for (const [at, key] of keys.entries()) heap.push(key, `${key} ${at}`);
        const sorted = keys.map((key, at) => ({ key, at })).sort((a, b) => a.key - b.key || a.at - b.at);
        expect(heap.least).toBe(sorted[0]?.key ?? Number.POSITIVE_INFINITY);
        expect(keys.map(() => heap.pop())).toEqual(sorted.map(({ key, at }) => `${key} ${at}`));
        expect([heap.pop(), heap.size]).toEqual([undefined, 0]);
      }),
    );
  });
});

describe('reordering', () => {
  const run = (times: readonly number[], options: { waitNs: number; most: number }) => {
    const reorder = new Reorder(options);
    const given: number[] = [];
    const give = (line: string) => void given.push(Number(line));
    for (const time of times) reorder.push(time, String(time), give);
    const early = given.length;
    reorder.end(give);
    return { given, early, late: reorder.late };
  };

  it('gives every line out in order when none is later than the wait', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(10), fc.nat(90)), { maxLength: 200 }), (steps) => {
        let now = 0;
        const times = steps.map(([step, back]) => {
          now += step;
          return now - back;
        });
        const { given, late } = run(times, { waitNs: 100, most: 1000 });
        expect(late).toBe(0);
        expect(given).toEqual([...times].sort((a, b) => a - b));
      }),
    );
  });

  it('loses none but those that came after a later one was given, and counts them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { maxLength: 200 }),
        fc.nat(300),
        fc.integer({ min: 1, max: 20 }),
        (times, waitNs, most) => {
          const { given, late } = run(times, { waitNs, most });
          expect(given).toEqual([...given].sort((a, b) => a - b));
          expect(given.length + late).toBe(times.length);
          const rest = [...times];
          for (const time of given) rest.splice(rest.indexOf(time), 1);
          expect(rest).toHaveLength(late);
        },
      ),
    );
  });

  it('holds no more than it may', () => {
    const { early } = run(
      Array.from({ length: 100 }, (_, at) => at),
      { waitNs: 1e9, most: 10 },
    );
    expect(early).toBe(90);
  });

  it('gives out what has waited while nothing came', () => {
    const reorder = new Reorder({ waitNs: 1e9, most: 10 });
    const given: string[] = [];
    const give = (line: string) => void given.push(line);
    reorder.push(5, 'a', give);
    reorder.settle(give);
    reorder.push(6, 'b', give);
    expect(given).toEqual([]);
    reorder.settle(give);
    expect(given).toEqual(['a']);
    reorder.settle(give);
    expect(given).toEqual(['a', 'b']);
  });
});

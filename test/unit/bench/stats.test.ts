/** The benches' arithmetic: quartiles, ratios round by round, and when there is a verdict. */
import { describe, expect, it } from 'vitest';
import type { BenchResult } from '../../../bench/lib/bench.js';
import { inTurn } from '../../../bench/lib/order.js';
import { evaluate, quartiles } from '../../../bench/lib/stats.js';

const result = (parts: Partial<BenchResult>): BenchResult => ({
  series: [],
  ratios: [],
  counts: [],
  notes: [],
  ...parts,
});

const calm = { name: 'ceiling', unit: 'ns', samples: [10, 10, 10, 12] };
const wild = { name: 'ceiling', unit: 'ns', samples: [10, 10, 20, 40] };
const ours = { name: 'ours', unit: 'ns', samples: [20, 12, 11, 12] };

describe('quartiles', () => {
  it('lie between neighbours in proportion', () => {
    expect(quartiles([4, 1, 3, 2])).toEqual({ q1: 1.75, median: 2.5, q3: 3.25 });
    expect(quartiles([7])).toEqual({ q1: 7, median: 7, q3: 7 });
  });
});

describe('a ratio', () => {
  const verdictOf = (ceiling: typeof calm, most: number) =>
    evaluate(result({ series: [ceiling, ours], ratios: [{ of: 'ours', to: 'ceiling', most }] })).rows.at(-1);

  it('is taken round by round', () => {
    // 2, 1.2, 1.1 and 1: the ratio of the medians would be 1.2.
    expect(verdictOf(calm, 1.3)).toMatchObject({ name: 'ours / ceiling', median: 1.15, goal: '<= 1.3' });
  });

  it('reaches its goal or misses it', () => {
    expect(verdictOf(calm, 1.3)?.verdict).toBe('reached');
    expect(verdictOf(calm, 1.1)?.verdict).toBe('missed');
  });

  it('has no verdict when its ceiling is too noisy', () => {
    expect(verdictOf(wild, 1000)?.verdict).toBe('ceiling too noisy');
  });

  it('is refused of series that were not taken in the same rounds', () => {
    const short = { ...ours, samples: [1] };
    const pair = { of: 'ours', to: 'ceiling' };
    expect(() => evaluate(result({ series: [calm, short], ratios: [pair] }))).toThrow(/same rounds/);
    expect(() => evaluate(result({ series: [calm], ratios: [pair] }))).toThrow(/same rounds/);
  });
});

describe('a count', () => {
  const of = (count: { value: number; exactly?: number; most?: number }) =>
    evaluate(result({ counts: [{ name: 'escaped', ...count }] }));

  it('that admits one value makes everything unsound with another', () => {
    expect(of({ value: 0, exactly: 0 })).toMatchObject({ sound: true, counts: [{ verdict: 'reached' }] });
    expect(of({ value: 1, exactly: 0 })).toMatchObject({ sound: false, counts: [{ verdict: 'wrong' }] });
  });

  it('may miss a goal', () => {
    expect(of({ value: 73, most: 72 })).toMatchObject({ sound: true, counts: [{ verdict: 'missed' }] });
    expect(of({ value: 73 }).counts).toEqual([{ name: 'escaped', value: 73 }]);
  });
});

describe('turns', () => {
  it('are taken by every side once a round, and each side comes first and last', async () => {
    const orders: number[][] = [];
    for (let round = 0; round < 6; round++) {
      const order: number[] = [];
      await inTurn(3, round, (side) => void order.push(side));
      orders.push(order);
    }
    for (const order of orders) expect([...order].sort()).toEqual([0, 1, 2]);
    expect(new Set(orders.map(([first]) => first)).size).toBe(3);
    expect(new Set(orders.map((order) => order.at(-1))).size).toBe(3);
  });
});

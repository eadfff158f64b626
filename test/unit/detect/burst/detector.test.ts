/** The burst detector against the plain definition, over random streams. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../../src/model/event.js';
import { crossedBy, engineOf, eventAt, policyOf, SECOND, step } from '../support.js';

interface Attempt {
  readonly at: number;
  readonly pid: number;
  readonly cgroup: number;
  readonly value: number;
}

/** Moves mostly forward, often back or not at all; few processes, cgroups and values. */
const stream = fc
  .array(
    fc.record({
      step: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -12, max: 16 })),
      pid: fc.integer({ min: 1, max: 3 }),
      cgroup: fc.integer({ min: 1, max: 2 }),
      value: fc.integer({ min: 1, max: 6 }),
    }),
    { maxLength: 150 },
  )
  .map((steps) => {
    let at = 1000;
    return steps.map(({ step: by, ...rest }): Attempt => {
      at += by;
      return { at, ...rest };
    });
  });

const tier = fc.record({ limit: fc.integer({ min: 0, max: 5 }), within: fc.integer({ min: 1, max: 25 }) });
const tiers = fc.array(tier, { minLength: 1, maxLength: 3 });
type Tier = { readonly limit: number; readonly within: number };

interface Rule {
  readonly tiers: readonly Tier[];
  readonly block: 'process' | 'cgroup' | undefined;
  readonly forS: number;
  readonly distinct: boolean;
}

const rule: fc.Arbitrary<Rule> = fc.record({
  tiers,
  block: fc.constantFrom('process', 'cgroup', undefined),
  forS: fc.integer({ min: 1, max: 40 }),
  distinct: fc.boolean(),
});

const policyFor = ({ tiers: list, block, forS, distinct }: Rule) => {
  const rows = list.map(
    ({ limit, within }) =>
      `{limit: ${limit}, within: ${within}s, by: process${distinct ? ', distinct: dst.port' : ''}}`,
  );
  const then = block === undefined ? '{alert: true}' : `{block: ${block}, for: ${forS}s}`;
  return policyOf(`detect: {burst: [${rows.join(', ')}]}\nthen: ${then}`);
};

const eventOf = ({ at, pid, cgroup, value }: Attempt) => {
  const dst: Endpoint = { ip: '192.0.2.1', port: value };
  return eventAt(at, { pid, cgroup: { id: String(cgroup), path: `/${cgroup}` }, dst });
};

/** The definition, written down over lists that are never trimmed. */
class Naive {
  readonly #rule: Rule;
  readonly #seen = new Map<number, Attempt[]>();
  readonly #blockedUntil = new Map<string, number>();

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** The first tier that the attempt crosses. */
  step(attempt: Attempt): Tier | undefined {
    const { block, forS } = this.#rule;
    const subject = block === 'cgroup' ? `cgroup ${attempt.cgroup}` : `process ${attempt.pid}`;
    const floor = (block && this.#blockedUntil.get(subject)) ?? Number.NEGATIVE_INFINITY;
    if (attempt.at < floor) return undefined;
    const before = this.#seen.get(attempt.pid) ?? [];
    const crossed = this.#rule.tiers.find((each) => this.#crosses(each, before, attempt, floor));
    if (crossed && block) {
      this.#seen.delete(attempt.pid);
      this.#blockedUntil.set(subject, attempt.at + forS);
    } else {
      this.#seen.set(attempt.pid, [...before, attempt]);
    }
    return crossed;
  }

  #crosses({ limit, within }: Tier, before: readonly Attempt[], attempt: Attempt, floor: number): boolean {
    const end = Math.max(attempt.at, ...before.map(({ at }) => at));
    const count = (list: readonly Attempt[]): number => {
      const inside = list.filter(({ at }) => at > end - within && at >= floor);
      return this.#rule.distinct ? new Set(inside.map(({ value }) => value)).size : inside.length;
    };
    const old = count(before);
    const now = count([...before, attempt]);
    return now > old && now > limit && (this.#rule.block !== undefined || old === limit);
  }
}

describe('burst', () => {
  it('crosses exactly where the definition does, with and without blocks, tiers and distinct values', () => {
    fc.assert(
      fc.property(rule, stream, (each, attempts) => {
        const engine = engineOf([policyFor(each)]);
        const naive = new Naive(each);
        for (const attempt of attempts) {
          const wanted = naive.step(attempt);
          const [got, more] = step(engine, eventOf(attempt));
          expect(more).toBeUndefined();
          expect(got?.tier).toEqual(wanted && { limit: wanted.limit, withinNs: wanted.within * SECOND });
          if (got && each.distinct) expect(got.distinct).toBeGreaterThan(wanted?.limit ?? 0);
        }
        expect(engine.stats().evictions).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  const burst = (limit: number, then: string): ReturnType<typeof policyOf> =>
    policyOf(`detect: {burst: {limit: ${limit}, within: 10s, by: process}}\nthen: ${then}`);
  const seconds = (...list: number[]) => list.map((at) => eventAt(at));

  it('admits the limit and crosses with the next: 5 means the sixth, 4 the fifth', () => {
    expect(crossedBy(engineOf([burst(5, '{alert: true}')]), seconds(1, 2, 3, 4, 5, 6, 7))).toEqual([5]);
    expect(crossedBy(engineOf([burst(4, '{alert: true}')]), seconds(1, 2, 3, 4, 5, 6, 7))).toEqual([4]);
  });

  it('leaves out the stamp that is exactly as old as the window', () => {
    expect(crossedBy(engineOf([burst(2, '{alert: true}')]), seconds(10, 15, 20))).toEqual([]);
    expect(crossedBy(engineOf([burst(2, '{alert: true}')]), seconds(10, 15, 19.999))).toEqual([2]);
  });

  it('re-arms an alert when the count has fallen to the limit', () => {
    const events = seconds(1, 2, 3, 4, 5, 14, 15, 16, 17);
    // At 14 and at 15 two lie in the window, so 16 is the third again.
    expect(crossedBy(engineOf([burst(2, '{alert: true}')]), events)).toEqual([2, 7]);
  });

  it('counts nothing from the crossing to the end of the block, then begins anew', () => {
    const engine = engineOf([burst(2, '{block: process, for: 20s}')]);
    expect(crossedBy(engine, seconds(1, 2, 3, 3, 4, 22.9, 23, 24, 25, 26))).toEqual([2, 8]);
    expect(engine.stats().quieted).toBe(4);
  });

  it('fires at the first event when the limit is none', () => {
    expect(crossedBy(engineOf([burst(0, '{block: process, for: 5s}')]), seconds(1, 2, 6, 7))).toEqual([0, 2]);
  });

  it('keeps to its bounds under a flood, and still catches who was near the limit', () => {
    const engine = engineOf([burst(5, '{block: process, for: 20s}')], { capacity: 256 });
    for (const at of [1, 1, 1, 1, 1]) expect(step(engine, eventAt(at, { pid: 7 }))).toEqual([]);
    for (let pid = 1000; pid < 9000; pid++) expect(step(engine, eventAt(2, { pid }))).toEqual([]);
    const stats = engine.stats();
    expect(stats.keys).toBe(256);
    expect(stats.evictions).toBe(8000 + 1 - 256);
    expect(step(engine, eventAt(3, { pid: 7 }))).toHaveLength(1);
  });

  it('holds fewer keys the higher the limit, so that a rule stays within its memory', () => {
    const engine = engineOf([burst(10_000, '{alert: true}')]);
    for (let pid = 1; pid <= 1000; pid++) step(engine, eventAt(1, { pid }));
    expect(engine.stats().keys).toBe(Math.floor((16 * 2 ** 20) / (8 * 10_001)));
  });
});

/** The circuit breaker against a search through a plain list, and what it does to the ledger. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BREAKER,
  BREAKER_OFF,
  Breaker,
  type BreakerLimits,
  type UnitFacts,
} from '../../../src/decide/breaker.js';
import { LiveTable } from '../../../src/decide/live-table.js';
import type { LedgerEntry, Mode } from '../../../src/model/decision.js';
import type { Subject } from '../../../src/model/subject.js';
import { asWindow } from './naive.js';
import { blockInput, essence, MINUTE, policy, recordsOf, SECOND, subject, world } from './world.js';

const process = (n: number): Subject => subject('process', `${100 + n}@1`);
const unit = (n: number): Subject => subject('unit', `u${n}.service`);
/** Each subject is a unit of its own name. */
const hostOf = (count: number): UnitFacts => ({
  unitsOf: ({ kind, id }) => (kind === 'unit' ? [id] : []),
  unitCount: () => count,
});
const limited = (change: Partial<BreakerLimits>): Breaker => new Breaker({ ...BREAKER_OFF, ...change });

interface Block {
  readonly gap: number;
  readonly late: number;
  readonly unit: number;
  readonly forNs: number;
  readonly mode: Mode;
}

/** What a person with a list of all blocks would say to the latest of them. */
class Naive {
  readonly #blocks: { at: number; until: number; unit: number; mode: Mode }[] = [];
  #told = new Set<Mode>();
  readonly limits: BreakerLimits;
  readonly units: number;
  constructor(limits: BreakerLimits, units: number) {
    this.limits = limits;
    this.units = units;
  }

  note(at: number, until: number, block: Block): Mode | undefined {
    this.#blocks.push({ ...block, at, until });
    const recent = this.#blocks.filter((other) => other.at > at - this.limits.withinNs);
    const hit = this.#blocks.filter((other) => other.mode === block.mode && other.until > at);
    const share = new Set(hit.map((other) => other.unit)).size / this.units;
    const isOver =
      recent.length > (this.limits.blocks ?? Number.POSITIVE_INFINITY) ||
      (this.limits.units !== undefined && this.units >= 10 && share > this.limits.units);
    if (!isOver || this.#told.has(block.mode) || this.#told.has('enforce')) return undefined;
    this.#told.add(block.mode);
    return block.mode;
  }
}

const block = fc.record({
  gap: fc.constantFrom(0, 0, 1, 5, 20, 60),
  late: fc.constantFrom(0, 0, 0, 3),
  unit: fc.nat({ max: 14 }),
  forNs: fc.constantFrom(1, 10, 100),
  mode: fc.constantFrom<Mode>('audit', 'enforce', 'enforce'),
});

it('agrees with a search through all blocks, whatever their times, ends, units and modes', () => {
  const run = (limits: BreakerLimits, units: number, blocks: readonly Block[]): void => {
    const live = new LiveTable();
    const breaker = new Breaker(limits, hostOf(units));
    const naive = new Naive(limits, units);
    let now = 0;
    for (const [n, each] of blocks.entries()) {
      now += each.gap;
      const sinceNs = now - each.late;
      const made = { by: 'policy', mode: each.mode, sinceNs, untilNs: sinceNs + each.forNs };
      const entry = { ...made, id: `${n}`, subject: unit(each.unit) } as LedgerEntry;
      live.put({ entry, strike: 0 });
      const trip = breaker.note(live, entry);
      latest = Math.max(latest, sinceNs);
      const wanted = naive.note(latest, entry.untilNs, each);
      expect(trip && (trip.isReal ? 'enforce' : 'audit')).toBe(wanted);
    }
  };
  let latest = 0; /* the breaker's own clock */
  fc.assert(
    fc.property(
      fc.record({
        blocks: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
        withinNs: fc.constantFrom(1, 20, 60),
        units: fc.option(fc.constantFrom(0.1, 0.25, 0.5), { nil: undefined }),
      }),
      fc.constantFrom(3, 9, 10, 12, 40),
      fc.array(block, { maxLength: 40, size: 'max' }),
      (limits, units, blocks) => {
        latest = Number.NEGATIVE_INFINITY;
        run(limits, units, blocks);
      },
    ),
    { numRuns: 1000 },
  );
});

describe('the ledger', () => {
  const tripping = (
    count: number,
    change: Parameters<ReturnType<typeof world>['decide']>[0] = {},
    w = fresh(),
  ) =>
    Array.from({ length: count }, (_, n) => {
      w.clock.ns += 1;
      return w.decide({ subject: process(n), ...change });
    }).findIndex(({ trip }) => trip);
  const fresh = () => world({ breaker: new Breaker(BREAKER) });

  it('trips at the 61st block within a minute, and not before', () => {
    expect(tripping(200)).toBe(60);
    expect(tripping(60)).toBe(-1);
    const w = fresh();
    expect(tripping(60, {}, w)).toBe(-1);
    w.clock.ns += MINUTE;
    expect(w.decide({ subject: process(60) }).trip).toBeUndefined();
  });

  it('counts what the kernel decided, and a widened block once', () => {
    const w = fresh();
    const trips = Array.from({ length: 61 }, (_, n) => {
      w.clock.ns += 1;
      const kernelDecision = n.toString(16).padStart(16, 'b');
      return w.decide({ subject: unit(n), counted: process(n), inKernel: true, kernelDecision });
    });
    expect(trips.every(({ widened }) => widened)).toBe(true);
    expect(trips.findIndex(({ trip }) => trip)).toBe(60);
    expect(trips[60]?.trip).toEqual({
      isReal: true,
      reason: expect.stringMatching(/more than 60 blocks within 60 s/),
    });
  });

  it('never counts the operator’s blocks, those that stand, and policies under trial', () => {
    const w = fresh();
    for (let n = 0; n < 100; n++) w.ledger.block(blockInput(process(n)));
    for (let n = 0; n < 100; n++) expect(w.decide({ subject: process(0) }).trip).toBeUndefined();
    const trial = { ...policy('trial'), mode: 'audit' as const };
    expect(tripping(100, { policy: trial, mode: 'audit' }, w)).toBe(-1);
    expect(tripping(61, {}, w)).toBe(60); /* process 0 was counted above, and stands */
  });

  it('tells once in audit that it would have tripped, and trips when the mode is enforce', () => {
    const w = fresh();
    const answers = Array.from(
      { length: 200 },
      (_, n) => w.decide({ subject: process(n), mode: 'audit' }).trip,
    );
    expect(answers.filter(Boolean)).toEqual([{ isReal: false, reason: expect.any(String) }]);
    w.ledger.setMode('enforce', w.clock.ns);
    w.clock.ns += 1;
    for (let n = 300; n < 360; n++) expect(w.decide({ subject: process(n) }).trip).toBeUndefined();
    expect(w.decide({ subject: process(360) }).trip?.isReal).toBe(true);
    expect(w.decide({ subject: process(361) }).trip).toBeUndefined();
  });

  it('demotes every deny, keeps the reason over restarts and rewrites, and is armed by enforce alone', () => {
    const w = fresh();
    w.ledger.block(blockInput());
    w.decide({ subject: process(1) });
    w.ledger.trip('too much', w.clock.ns);
    expect(w.ledger.entries().map(({ mode }) => mode)).toEqual(['audit', 'audit']);
    expect(w.ledger.desired().map(({ verdict }) => verdict)).toEqual(['audit', 'audit']);
    w.ledger.setMode('audit', w.clock.ns);
    const again = world({ clock: w.clock, text: w.journal.text });
    expect(again.ledger.tripped).toEqual({ at: w.clock.wall(w.clock.ns), reason: 'too much' });
    expect(essence(again.book.state)).toEqual(essence(w.book.state));
    again.ledger.setMode('enforce', w.clock.ns);
    expect(again.ledger.tripped).toBeUndefined();
    expect(recordsOf(w.journal.text).some(({ kind }) => kind === 'mode')).toBe(true);
  });

  it('goes on counting where an earlier agent stopped', () => {
    const w = fresh();
    expect(tripping(40, {}, w)).toBe(-1);
    const again = world({ clock: w.clock, text: w.journal.text, breaker: new Breaker(BREAKER) });
    const found = Array.from({ length: 21 }, (_, n) => {
      w.clock.ns += 1;
      return again.decide({ subject: process(50 + n) }).trip;
    });
    expect(found.findIndex((trip) => trip)).toBe(20);
  });

  it('counts crossings it learns of from the kernel alone', () => {
    const w = fresh();
    const other = world({ clock: w.clock });
    const held = Array.from(
      { length: 61 },
      (_, n) => other.decide({ subject: process(n) }).decision as LedgerEntry,
    );
    expect(w.ledger.adopt(held.slice(0, 60).map(asWindow)).trip).toBeUndefined();
    expect(w.ledger.adopt(held.map(asWindow)).trip).toMatchObject({ isReal: true });
  });

  it('judges the share of units from ten on, and forgets those whose block is over', () => {
    const shared = (units: number) => world({ breaker: new Breaker(BREAKER, hostOf(units)) });
    const first = (units: number): number => {
      const w = shared(units);
      return Array.from({ length: 9 }, (_, n) => w.decide({ subject: unit(n) }).trip).findIndex(
        (trip) => trip,
      );
    };
    expect(first(9)).toBe(-1);
    expect(first(10)).toBe(2);
    expect(first(12)).toBe(3);
    expect(first(20)).toBe(5);
    const w = shared(12);
    for (let n = 0; n < 12; n++) {
      expect(w.decide({ subject: unit(n) }).trip).toBeUndefined();
      w.clock.ns += 5 * MINUTE;
      w.ledger.expire(w.clock.ns);
    }
  });

  it('can be turned off by halves', () => {
    const noCount = world({ breaker: limited({ units: 0.25 }) });
    expect(tripping(200, {}, noCount)).toBe(-1);
    expect(tripping(200, {}, world({ breaker: new Breaker(BREAKER_OFF, hostOf(10)) }))).toBe(-1);
    expect(tripping(6, {}, world({ breaker: limited({ blocks: 3, withinNs: SECOND }) }))).toBe(3);
  });
});

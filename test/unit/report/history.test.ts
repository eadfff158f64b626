/** The history gives back what went in, newest within its bound, oldest first. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KG_ROW_WORDS, KgEventRows, KINDS } from '../../../src/abi/generated.js';
import { LiveEvent } from '../../../src/decode/live-event.js';
import { History } from '../../../src/report/history.js';
import { depsOf, drained, KnownFacts, kindOf, record } from '../decode/rows.js';

const deps = depsOf(new KnownFacts());
const historyOf = (capacity: number): History =>
  new History({
    words: KG_ROW_WORDS,
    capacity,
    cursor: (rows) => new LiveEvent(new KgEventRows(rows), deps),
  });

/** Pushes records in batches as the ring would hand them over. */
const push = (history: History, records: readonly Uint8Array[], batch = 3): void => {
  for (let at = 0; at < records.length; at += batch) {
    const { rows } = drained(records.slice(at, at + batch));
    for (let i = 0; i < Math.min(batch, records.length - at); i++) history.push(rows, i);
  }
};

const numbered = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    record({ tgid: i, at_ns: BigInt(i) * 1_000_000_000n, kind: 1 + (i % 2) }),
  );

const pids = (history: History, query: Parameters<History['recent']>[0] = {}, max = 100): number[] =>
  history.recent(query, max).map(({ pid }) => pid);

describe('history', () => {
  it('is empty at first', () => {
    expect(pids(historyOf(4))).toEqual([]);
  });

  it('keeps the latest records, in order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.nat({ max: 60 }),
        fc.nat({ max: 30 }),
        (capacity, count, max) => {
          const history = historyOf(capacity);
          push(history, numbered(count));
          const all = Array.from({ length: count }, (_, i) => i);
          const kept = Math.min(capacity, count);
          expect(history.size).toBe(kept);
          expect(pids(history, {}, max)).toEqual(all.slice(count - Math.min(kept, max)));
        },
      ),
    );
  });

  it('gives an event as it would have been given live', () => {
    const bytes = fc.uint8Array({ minLength: 160, maxLength: 160 });
    const kinds = fc.constantFrom(...Object.keys(KINDS).map(Number));
    fc.assert(
      fc.property(bytes, kinds, (raw, kind) => {
        new DataView(raw.buffer).setUint16(96, kind, true);
        const { rows } = drained([raw]);
        const live = new LiveEvent(new KgEventRows(rows), deps);
        live.load(0);
        const history = historyOf(2);
        history.push(rows, 0);
        expect(history.recent({}, 1)).toEqual([live.snapshot()]);
      }),
    );
  });

  it('finds by kind, by time and by anything else, and stops at the number asked for', () => {
    const history = historyOf(100);
    push(history, numbered(20));
    expect(pids(history, { kinds: ['send'] }, 3)).toEqual([15, 17, 19]);
    expect(pids(history, { sinceNs: 17e9 })).toEqual([17, 18, 19]);
    expect(pids(history, { where: ({ pid }) => pid % 7 === 0 })).toEqual([0, 7, 14]);
    expect(pids(history, { kinds: ['connect'], sinceNs: 10e9, where: ({ pid }) => pid > 12 })).toEqual([
      14, 16, 18,
    ]);
    expect(pids(history, { kinds: ['exec'] })).toEqual([]);
  });

  it('looks a little beyond the time asked for, since two rings do not keep one order', () => {
    const history = historyOf(10);
    const at = (tgid: number, ns: number): Uint8Array =>
      record({ tgid, at_ns: BigInt(ns), kind: kindOf('connect') });
    push(history, [at(1, 5e9), at(2, 4.5e9), at(3, 6e9)]);
    expect(pids(history, { sinceNs: 5e9 })).toEqual([1, 3]);
  });
});

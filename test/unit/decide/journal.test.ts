/** The journal on a real disk: reopened, torn, damaged. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileJournal } from '../../../src/decide/journal.js';
import { readLines } from '../../../src/decide/journal-lines.js';
import { type JournalRecord, mustReachDisk } from '../../../src/decide/record.js';
import { LedgerState } from '../../../src/decide/state.js';
import { KerngateError } from '../../../src/model/error.js';
import { dir, lock, path, start, text, unlocked, useFolder } from './disk.js';
import { blockInput, essence, GROUP, MINUTE, PROC, policy, subject, world } from './world.js';

useFolder();

const replayed = (records: readonly JournalRecord[]): unknown => {
  const state = new LedgerState();
  for (const record of records) state.apply(record);
  return essence(state);
};

/** A few of everything. */
const live = ({ ledger, clock }: ReturnType<typeof start>): void => {
  const first = ledger.block(blockInput()).decision;
  ledger.block({ ...blockInput(GROUP, MINUTE), reason: 'größer als "nötig"\n\u0000\u2028 \ud800' });
  clock.ns += 2 * MINUTE;
  ledger.expire(clock.ns);
  ledger.unblock({ id: first.id });
  ledger.setMode('audit', clock.ns);
  ledger.block(blockInput(subject('unit', 'a.service')));
};

describe('a reopened journal', () => {
  it('gives the state back', () => {
    const before = start({ lock });
    live(before);
    const after = start({ lock }, before.clock);
    expect(essence(after.book.state)).toEqual(essence(before.book.state));
    expect(after.ledger.list()).toEqual(before.ledger.list());
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(after.journal.stats()).toMatchObject({ torn: 0, damaged: 0, errors: 0, foreign: 0 });
    expect(after.journal.history).toEqual([]);
  });

  it('stops the agent with place and remedy when the folder cannot be used', () => {
    writeFileSync(join(dir(), 'file'), '');
    const open = () => new FileJournal({ stateDir: join(dir(), 'file'), lock: unlocked });
    expect(open).toThrow(KerngateError);
    expect(open).toThrow(/cannot open the journal .*file\/journal\.jsonl/);
  });
});

describe('a torn journal', () => {
  it('holds the whole lines before any cut, and nothing else', () => {
    live(start());
    const bytes = readFileSync(path());
    const whole = readLines(bytes);
    const ends = [...bytes.entries()].filter(([, byte]) => byte === 0x0a).map(([at]) => at + 1);
    expect(whole.records).toHaveLength(ends.length);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const count = ends.filter((end) => end <= cut).length;
      const lines = readLines(bytes.subarray(0, cut));
      expect(lines.damaged).toHaveLength(0);
      expect(lines.end).toBe(ends[count - 1] ?? 0);
      expect(lines.records).toEqual(whole.records.slice(0, count));
    }
  });

  it('is cut, counted, and written on: from any cut on the next life is whole', () => {
    live(start());
    const bytes = readFileSync(path());
    const { records } = readLines(bytes);
    fc.assert(
      fc.property(fc.nat({ max: bytes.length }), (cut) => {
        writeFileSync(path(), bytes.subarray(0, cut));
        const { count, end } = readLines(bytes.subarray(0, cut));
        const next = start();
        expect(next.journal.stats().torn).toBe(end < cut ? 1 : 0);
        expect(next.problems).toEqual(
          end < cut ? [`${path()}:${count + 1}: the last line is torn; cut off`] : [],
        );
        if (count > 0) expect(essence(next.book.state)).toEqual(replayed(records.slice(0, count)));
        next.ledger.block(blockInput(subject('unit', 'b.service')));
        expect(essence(start().book.state)).toEqual(essence(next.book.state));
        expect(start().journal.stats()).toMatchObject({ torn: 0, damaged: 0 });
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ['no JSON', 'rubbish', /not JSON/],
    ['another value', '[1]', /no record is of the kind/],
    ['an unknown kind', '{"kind":"__proto__"}', /no record is of the kind "__proto__"/],
    [
      'a wrong field',
      '{"kind":"mode","mode":"off","boot":"b","at":"2026-01-01T00:00:00Z","at_ns":1}',
      /bad field "mode"/,
    ],
    ['no time', '{"kind":"panic","boot":"b","at_ns":1}', /bad field "at" in panic/],
  ])('a damaged line in the middle (%s) is skipped, counted and reported', (_, line, problem) => {
    const before = start();
    before.ledger.block(blockInput());
    const expected = essence(before.book.state);
    const lines = text().split('\n');
    writeFileSync(path(), [lines[0], line, ...lines.slice(1)].join('\n'));
    const after = start({}, before.clock);
    expect(essence(after.book.state)).toEqual(expected);
    expect(after.journal.stats().damaged).toBe(1);
    expect(after.problems).toEqual([expect.stringMatching(problem)]);
    expect(after.problems[0]).toContain(`${path()}:2: `);
  });

  it('reports no more than a hundred of its lines, and counts all', () => {
    writeFileSync(path(), 'x\n'.repeat(250));
    const { journal, problems } = start();
    expect(journal.stats().damaged).toBe(250);
    expect(problems).toHaveLength(100);
  });
});

it('waits for the disk only where a power cut could lose something', () => {
  const w = world();
  w.decide();
  w.decide({ policy: policy('p', { block: 'unit' }), subject: subject('unit', 'x.service') });
  w.ledger.unblock({ subjects: [PROC] });
  w.clock.ns += 60 * MINUTE;
  w.ledger.expire(w.clock.ns);
  expect(w.journal.records().map((record) => [record.kind, mustReachDisk(record)])).toEqual([
    ['boot', true],
    ['block', false],
    ['block', true],
    ['unblock', true],
    ['end', false],
  ]);
});

/** A new agent takes over what the kernel and the journal hold. */
import { describe, expect, it } from 'vitest';
import type { KernelEntry } from '../../../src/decide/adopt.js';
import { writeLine } from '../../../src/decide/journal-lines.js';
import type { RecordBody } from '../../../src/decide/record.js';
import { ZERO_ID } from '../../../src/lib/hex-id.js';
import type { LedgerEntry } from '../../../src/model/decision.js';
import { blockInput, essence, GROUP, MINUTE, PROC, policy, subject, type World, world } from './world.js';

const ID = 'abcdef0123456789';

const found = (w: World, change: Partial<KernelEntry> = {}): KernelEntry => ({
  from: 'window',
  id: ID,
  subject: PROC,
  rule: policy().hash,
  mode: 'enforce',
  level: 'lsm',
  sinceNs: w.clock.ns,
  untilNs: w.clock.ns + 10 * MINUTE,
  hits: 3,
  deny: 'new',
  lastNs: w.clock.ns,
  policy: 'burst',
  ...change,
});

const verdictOf = (w: World, { id, subject: who, sinceNs, untilNs, rule }: LedgerEntry): KernelEntry => {
  const { policy: _, ...rest } = found(w, { from: 'verdict', id, subject: who, sinceNs, untilNs, rule });
  return rest;
};

/** The agent is gone, time passes, others may append, another agent starts. */
const restart = (w: World, ...appended: RecordBody[]): World => {
  w.clock.ns += 1;
  const stamp = { boot: 'boot-1', at: w.clock.wall(w.clock.ns), at_ns: w.clock.ns };
  const text = w.journal.text + appended.map((body) => writeLine({ ...stamp, ...body })).join('');
  w.clock.ns += 1;
  return world({ clock: w.clock, text });
};

describe('adopt', () => {
  it('takes a window the journal has not heard of', () => {
    const w = world();
    const { adopted, removeFromKernel } = w.ledger.adopt([found(w)]);
    expect(removeFromKernel).toEqual([]);
    expect(adopted).toMatchObject([
      { id: ID, pushed: true, enforced_by: 'kernel', policy: 'burst', hits: 3 },
    ]);
    expect(w.ledger.get(ID)?.hits).toBe(3);
  });

  it('believes the kernel about a window: its time, and the weaker mode', () => {
    const w = world();
    w.decide({ inKernel: true, kernelDecision: ID });
    const next = restart(w);
    const untilNs = w.clock.ns + MINUTE;
    expect(next.ledger.adopt([found(w, { untilNs, mode: 'audit' })]).adopted).toEqual([]);
    expect(next.ledger.entries()).toMatchObject([
      { id: ID, untilNs, mode: 'audit', hits: 3, finding: expect.any(String) },
    ]);
  });

  it('keeps a demoted window in audit although its entry still says deny', () => {
    const w = world();
    const sinceNs = w.clock.ns;
    w.decide({ inKernel: true, kernelDecision: ID });
    w.ledger.setMode('audit', ++w.clock.ns);
    const next = restart(w);
    const unheard = found(w, { id: '1111111111111111', subject: GROUP, sinceNs });
    next.ledger.adopt([found(w, { sinceNs }), unheard]);
    expect(next.ledger.list().map(({ mode }) => mode)).toEqual(['audit', 'audit']);
  });

  it('ends a copied decision whose window is gone', () => {
    const w = world();
    w.decide({ inKernel: true, kernelDecision: ID });
    const next = restart(w);
    expect(next.ledger.adopt([]).ended.map(({ id }) => id)).toEqual([ID]);
    expect(next.ledger.list()).toEqual([]);
  });

  it('keeps the agent’s own decisions although the kernel has lost them', () => {
    const w = world();
    const { decision } = w.ledger.block(blockInput());
    const next = restart(w);
    expect(next.ledger.adopt([])).toEqual({ adopted: [], ended: [], removeFromKernel: [] });
    expect(next.ledger.desired()).toMatchObject([{ decision: decision.id, verdict: 'deny' }]);
  });

  it('takes over the hits of a verdict and nothing else', () => {
    const w = world();
    const { decision } = w.ledger.block(blockInput());
    const next = restart(w);
    next.ledger.adopt([{ ...verdictOf(w, decision), untilNs: w.clock.ns + 1, hits: 9 }]);
    expect(next.ledger.entries()).toMatchObject([{ hits: 9, untilNs: decision.untilNs }]);
  });

  it('takes a verdict whose record was lost, as the operator’s or the policy’s', () => {
    const w = world();
    const { policy: _, ...mine } = found(w, { from: 'verdict', rule: ZERO_ID });
    w.ledger.adopt([mine, found(w, { from: 'verdict', id: '2222222222222222', subject: GROUP })]);
    expect(w.ledger.entries()).toMatchObject([
      { by: 'operator', policy: 'operator', pushed: false, enforced_by: 'agent' },
      { by: 'policy', policy: 'burst', pushed: false },
    ]);
  });

  const offline: [string, RecordBody][] = [
    ['id', { kind: 'unblock', ids: [ID] }],
    ['subject', { kind: 'unblock', subjects: ['process:4242@100'] }],
    ['policy', { kind: 'unblock', policies: ['burst'] }],
    ['all', { kind: 'unblock', all: true }],
    ['panic', { kind: 'panic' }],
  ];

  it.each(offline)('gives back what was lifted offline by %s, known or not', (_, tombstone) => {
    for (const isKnown of [true, false]) {
      const w = world();
      const entry = found(w);
      if (isKnown) w.decide({ inKernel: true, kernelDecision: ID });
      const next = restart(w, tombstone);
      expect(next.ledger.adopt([entry]).removeFromKernel).toEqual([entry]);
      expect(next.ledger.list()).toEqual([]);
    }
  });

  it.each(offline.slice(1))('keeps a window that crossed after the offline unblock by %s', (_, tombstone) => {
    const next = restart(world(), tombstone);
    const entry = found(next);
    expect(next.ledger.adopt([entry])).toMatchObject({ adopted: [{ id: ID }], removeFromKernel: [] });
  });

  it('gives back verdicts whose decision was lifted or has ended', () => {
    const w = world();
    const lifted = w.ledger.block(blockInput()).decision;
    const ended = w.ledger.block(blockInput(GROUP, MINUTE)).decision;
    const kept = w.ledger.block(blockInput(subject('session', '3'))).decision;
    w.ledger.unblock({ id: lifted.id });
    w.ledger.subjectGone(GROUP);
    const next = restart(w);
    const { removeFromKernel } = next.ledger.adopt([lifted, ended, kept].map((entry) => verdictOf(w, entry)));
    expect(removeFromKernel.map(({ id }) => id)).toEqual([lifted.id, ended.id]);
  });

  it.each([
    ['of a rule no longer in force', (w: World) => verdictOf(w, { ...found(w) } as never), 'window'],
    ['without an id', (w: World) => found(w, { id: ZERO_ID }), 'window'],
    ['on a protected subject', (w: World) => found(w, { subject: subject('process', '1@0') }), 'window'],
  ] as const)('gives back a window %s', (_, make, from) => {
    const w = world({ processes: [{ pid: 1, startTick: 0, why: 'PID 1' }] });
    const entry = { ...make(w), from };
    expect(w.ledger.adopt([entry])).toEqual({ adopted: [], ended: [], removeFromKernel: [entry] });
  });

  it('passes over what the kernel’s own expiry has ended', () => {
    const w = world();
    expect(w.ledger.adopt([found(w, { untilNs: w.clock.ns })])).toEqual({
      adopted: [],
      ended: [],
      removeFromKernel: [],
    });
  });

  it('adopts no more than there is room for, and counts the rest', () => {
    const w = world({ limits: { live: 2, operator: 0 } });
    const entries = [1, 2, 3].map((n) =>
      found(w, { id: `${n}`.repeat(16), subject: subject('process', `${n}@1`) }),
    );
    expect(w.ledger.adopt(entries).adopted).toHaveLength(2);
    expect(w.ledger.stats()).toMatchObject({ live: 2, overflow: 1 });
  });

  it('is journalled: yet another agent knows the same', () => {
    const w = world();
    w.ledger.adopt([found(w)]);
    expect(essence(world({ clock: w.clock, text: w.journal.text }).book.state)).toEqual(
      essence(w.book.state),
    );
  });
});

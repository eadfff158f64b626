/** A repeated offender is blocked for longer, until the operator takes its side. */
import { describe, expect, it } from 'vitest';
import { GROUP, HOUR, MINUTE, PROC, policy, world } from './world.js';

const inKernel = { inKernel: true, kernelDecision: 'abcdef0123456789' } as const;

describe('escalation', () => {
  const escalate = { factor: 2, maxNs: 35 * MINUTE };
  const rule = policy('p', { escalate });
  const length = (w: ReturnType<typeof world>, change = {}): number => {
    const { decision } = w.decide({ policy: rule, ...change });
    if (!decision) throw new Error('no decision');
    w.clock.ns = decision.untilNs;
    w.ledger.expire(w.clock.ns);
    return (decision.untilNs - decision.sinceNs) / MINUTE;
  };

  it('doubles up to the ceiling', () => {
    const w = world();
    expect([length(w), length(w), length(w), length(w)]).toEqual([10, 20, 35, 35]);
  });

  it('counts each key and policy on its own', () => {
    const w = world();
    length(w);
    expect(length(w, { subject: GROUP })).toBe(10);
    expect(length(w, { policy: policy('q', { escalate }) })).toBe(10);
  });

  it('forgets after 24 hours', () => {
    const w = world();
    length(w);
    w.clock.ns += 24 * HOUR;
    expect(length(w)).toBe(20);
    w.clock.ns += 24 * HOUR + 1;
    expect(length(w)).toBe(10);
  });

  it.each([
    ['subject', { subjects: [PROC] }],
    ['policy', { policy: 'p' }],
    ['all', { all: true }],
  ])('is reset by an unblock by %s, even after the block has ended', (_, filter) => {
    const w = world();
    length(w);
    w.ledger.unblock(filter);
    w.clock.ns += 1;
    expect(length(w)).toBe(10);
  });

  it('is reset by an unblock of the ended decision’s id', () => {
    const w = world();
    const { decision } = w.decide({ policy: rule });
    w.clock.ns += HOUR;
    w.ledger.expire(w.clock.ns);
    expect(w.ledger.unblock({ id: decision?.id ?? '' })).toEqual([]);
    expect(length(w)).toBe(10);
  });

  it('adds the longer time beside a decision of the kernel', () => {
    const w = world();
    expect(length(w, inKernel)).toBe(10);
    const again = w.decide({ policy: rule, inKernel: true, kernelDecision: '4444444444444444' });
    expect(again.decision?.untilNs).toBe(w.clock.ns + 10 * MINUTE);
    expect(again.widened).toMatchObject({ subject: PROC, pushed: false, untilNs: w.clock.ns + 20 * MINUTE });
    w.clock.ns += 20 * MINUTE;
    w.ledger.expire(w.clock.ns);
    expect(w.decide({ policy: rule }).decision?.untilNs).toBe(w.clock.ns + 35 * MINUTE);
  });
});

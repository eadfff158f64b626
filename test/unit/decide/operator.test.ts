/** The operator's own orders: block, unblock, mode and panic. */
import { describe, expect, it } from 'vitest';
import { KerngateError } from '../../../src/model/error.js';
import { blockInput, GROUP, MINUTE, PROC, policy, SECOND, subject, world } from './world.js';

const errorOf = (run: () => unknown): KerngateError => {
  try {
    run();
  } catch (error) {
    if (error instanceof KerngateError) return error;
  }
  throw new Error('no KerngateError');
};

const MEMBER = subject('process', '9@9');
const inGroup = (who: { id: string }, group: { id: string }) => group.id === GROUP.id && who.id === MEMBER.id;

describe('block', () => {
  it('is by the operator and survives every policy’s retirement', () => {
    const { ledger } = world();
    const { decision } = ledger.block(blockInput());
    expect(decision).toMatchObject({
      by: 'operator',
      mode: 'enforce',
      reason: 'seen it myself',
      rule: '0000000000000000',
    });
    expect(ledger.retireRules(new Set())).toEqual([]);
  });

  it('extends when repeated: later end, stronger mode, wider scope, same id', () => {
    const { ledger, clock } = world();
    const first = ledger.block({ ...blockInput(PROC, 20 * MINUTE), mode: 'audit' }).decision;
    clock.ns += SECOND;
    const again = ledger.block({ ...blockInput(PROC, MINUTE), deny: 'all', reason: 'still at it' });
    expect(again).toMatchObject({
      created: false,
      decision: { id: first.id, untilNs: first.untilNs, mode: 'enforce', deny: 'all', reason: 'still at it' },
    });
    expect(again.decision.sinceNs).toBe(clock.ns);
    const longer = ledger.block({ ...blockInput(PROC, 60 * MINUTE), mode: 'audit' }).decision;
    expect(longer).toMatchObject({ mode: 'enforce', deny: 'all', untilNs: clock.ns + 60 * MINUTE });
    expect(ledger.list()).toHaveLength(1);
  });

  it('begins anew once the old one has ended', () => {
    const { ledger, clock } = world();
    const first = ledger.block(blockInput()).decision;
    clock.ns = first.untilNs;
    expect(ledger.block(blockInput())).toMatchObject({ created: true });
  });

  it.each([
    ['the root cgroup', subject('cgroup', '1'), /root cgroup/],
    ['a protected process', subject('process', '1@0'), /PID 1/],
    ['a net that covers the gateway', subject('source', '10.0.0.0/8'), /gateway/],
    ['the name server as a destination', subject('destination', '[2001:db8::53]:53'), /name server/],
  ])('refuses %s and names the reason', (_, who, reason) => {
    const { ledger } = world({ processes: [{ pid: 1, startTick: 0, why: 'PID 1' }] });
    const error = errorOf(() => ledger.block(blockInput(who)));
    expect(error.message).toMatch(reason);
    expect(error.exitCode).toBe(1);
    expect(error.remedy).toMatch(/kerngate allow/);
    expect(ledger.list()).toEqual([]);
  });
});

describe('unblock', () => {
  it('lifts by id, is idempotent, and knows what never was', () => {
    const { ledger, decide } = world();
    const { decision } = decide();
    const id = decision?.id ?? '';
    expect(ledger.unblock({ id }).map((entry) => entry.id)).toEqual([id]);
    expect(ledger.unblock({ id })).toEqual([]);
    expect(errorOf(() => ledger.unblock({ id: 'ffffffffffffffff' }))).toMatchObject({ exitCode: 3 });
    expect(errorOf(() => ledger.unblock({})).exitCode).toBe(2);
  });

  it('lifts everything on a subject, whoever decided it and whoever enforces it', () => {
    const { ledger, decide } = world();
    decide({ inKernel: true, kernelDecision: 'aaaaaaaaaaaaaaaa' });
    decide({ policy: policy('other') });
    ledger.block(blockInput());
    ledger.block(blockInput(GROUP));
    const lifted = ledger.unblock({ subjects: [PROC] });
    expect(lifted).toHaveLength(3);
    expect(lifted.filter(({ pushed }) => pushed)).toHaveLength(1);
    expect(ledger.list().map(({ subject: who }) => who)).toEqual([GROUP]);
    expect(ledger.unblock({ subjects: [PROC] })).toEqual([]);
  });

  it('releases all members of a group, by its name and by its decision’s id', () => {
    for (const by of ['subject', 'id']) {
      const { ledger } = world();
      const group = ledger.block(blockInput(GROUP)).decision;
      ledger.block(blockInput(MEMBER));
      ledger.block(blockInput());
      const filter = by === 'id' ? { id: group.id } : { subjects: [GROUP] };
      expect(ledger.unblock(filter, inGroup)).toHaveLength(2);
      expect(ledger.list().map(({ subject: who }) => who)).toEqual([PROC]);
    }
  });

  it('leaves the group blocked when only a member is unblocked', () => {
    const { ledger } = world();
    ledger.block(blockInput(GROUP));
    ledger.block(blockInput(MEMBER));
    ledger.unblock({ subjects: [MEMBER] }, inGroup);
    expect(ledger.list().map(({ subject: who }) => who)).toEqual([GROUP]);
  });

  it('lifts by id the agent’s extension of a kernel’s decision with it', () => {
    const { ledger, decide, clock } = world();
    const rule = policy('p', { escalate: { factor: 3, maxNs: 1e15 } });
    decide({ policy: rule });
    clock.ns += 10 * MINUTE;
    decide({ policy: rule, inKernel: true, kernelDecision: 'aaaaaaaaaaaaaaaa' });
    expect(ledger.list()).toHaveLength(2);
    expect(ledger.unblock({ id: 'aaaaaaaaaaaaaaaa' })).toHaveLength(2);
    expect(ledger.desired()).toEqual([]);
  });

  it('lifts by policy and altogether', () => {
    const { ledger, decide } = world();
    decide();
    decide({ policy: policy('other'), subject: GROUP });
    expect(ledger.unblock({ policy: 'other' }).map((entry) => entry.policy)).toEqual(['other']);
    expect(ledger.unblock({ policy: 'unheard-of' })).toEqual([]);
    ledger.block(blockInput(GROUP));
    expect(ledger.unblock({ all: true })).toHaveLength(2);
    expect(ledger.list()).toEqual([]);
  });
});

describe('mode and panic', () => {
  it('audit demotes what is live at once, enforce promotes nothing', () => {
    const { ledger, decide, clock } = world();
    decide({ inKernel: true, kernelDecision: 'aaaaaaaaaaaaaaaa' });
    ledger.block(blockInput(GROUP));
    expect(ledger.setMode('audit', clock.ns)).toHaveLength(2);
    expect(ledger.list().map(({ mode }) => mode)).toEqual(['audit', 'audit']);
    expect(ledger.desired()).toMatchObject([{ verdict: 'audit' }]);
    clock.ns += 1;
    expect(ledger.setMode('enforce', clock.ns)).toEqual([]);
    expect(ledger.list().map(({ mode }) => mode)).toEqual(['audit', 'audit']);
    expect(ledger.mode).toBe('enforce');
  });

  it('a late event from before the switch is only audited', () => {
    const { ledger, decide, clock } = world();
    const atNs = clock.ns;
    ledger.setMode('audit', ++clock.ns);
    ledger.setMode('enforce', ++clock.ns);
    expect(decide({ atNs }).decision?.mode).toBe('audit');
    expect(decide({ subject: GROUP }).decision?.mode).toBe('enforce');
  });

  it('panic lifts all and lets nothing be denied until enforce is asked for', () => {
    const { ledger, decide, clock } = world();
    decide();
    ledger.block(blockInput(GROUP));
    expect(ledger.panic()).toHaveLength(2);
    expect(ledger.desired()).toEqual([]);
    clock.ns += 1;
    expect(decide().decision?.mode).toBe('audit');
    expect(ledger.block(blockInput(GROUP)).decision.mode).toBe('audit');
    ledger.setMode('audit', clock.ns);
    expect(ledger.panicked).toBe(true);
    ledger.setMode('enforce', ++clock.ns);
    expect(ledger.panicked).toBe(false);
    clock.ns += 1;
    expect(ledger.block(blockInput(GROUP)).decision.mode).toBe('enforce');
  });
});

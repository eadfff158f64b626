/** A finding becomes a decision, or the reason why it does not. */
import { describe, expect, it } from 'vitest';
import { alertOnly, blockInput, GROUP, MINUTE, PROC, policy, SECOND, subject, world } from './world.js';

const KERNEL_ID = 'abcdef0123456789';
const inKernel = { inKernel: true, kernelDecision: KERNEL_ID } as const;

describe('a decision of the agent', () => {
  it('blocks the subject for the policy’s time, in the contract’s shape', () => {
    const { decide, ledger, clock } = world();
    const { decision, created } = decide();
    expect(created).toBe(true);
    expect(ledger.list()).toEqual([
      {
        id: decision?.id,
        at: clock.wall(clock.ns),
        subject: PROC,
        action: 'deny',
        mode: 'enforce',
        enforced_by: 'agent',
        level: 'lsm',
        policy: 'burst',
        finding: decision?.finding,
        reason: 'It did too much.',
        by: 'policy',
        until: clock.wall(clock.ns + 10 * MINUTE),
        hits: 0,
        deny: 'new',
      },
    ]);
    expect(decision?.id).toMatch(/^[0-9a-f]{16}$/);
  });

  it('gives the same id for the same history', () => {
    expect(world().decide().decision?.id).toBe(world().decide().decision?.id);
  });

  it('is made once per policy and subject while it lives, up to and not at its end', () => {
    const { decide, clock } = world();
    const first = decide();
    clock.ns += 10 * MINUTE - 1;
    expect(decide()).toEqual({ decision: first.decision, created: false });
    clock.ns += 1;
    const second = decide();
    expect(second.created).toBe(true);
    expect(second.decision?.id).not.toBe(first.decision?.id);
  });

  it('is made again for another policy', () => {
    const { decide, ledger } = world();
    decide();
    expect(decide({ policy: policy('other') }).created).toBe(true);
    expect(ledger.list()).toHaveLength(2);
    expect(ledger.desired()).toHaveLength(1);
  });

  it('hands a source to the packet filter', () => {
    const { decide } = world();
    const { decision } = decide({
      policy: policy('p', { block: 'source' }),
      subject: subject('source', '192.0.2.7'),
    });
    expect(decision).toMatchObject({ enforced_by: 'nftables', level: 'nftables' });
  });

  it.each([
    ['an alert-only policy', { policy: alertOnly() }, undefined],
    ['an untrusted event', { untrusted: true }, /untrusted/],
    ['a loopback source', { subject: subject('source', '127.0.0.1') }, /loopback/],
    ['a link-local source', { subject: subject('source', 'fe80::1/64') }, /link-local/],
  ])('is not made for %s', (_, change, reason) => {
    const { decide, ledger } = world();
    const ruling = decide(change);
    expect(ruling.decision).toBeUndefined();
    expect(ruling.created).toBe(false);
    if (reason) expect(ruling.refused).toMatch(reason);
    else expect(ruling.refused).toBeUndefined();
    expect(ledger.list()).toEqual([]);
  });

  it('names the protected tasks it leaves free', () => {
    const { decide } = world({
      host: { protectedIn: ({ id }) => (id === GROUP.id ? ['sshd (pid 812)'] : []) },
    });
    const { decision } = decide({ policy: policy('p', { block: 'cgroup' }), subject: GROUP });
    expect(decision?.spared).toEqual(['sshd (pid 812)']);
  });
});

describe('a decision of the kernel', () => {
  it('is copied with its id, and the kernel is left to enforce it', () => {
    const { decide, ledger, clock } = world();
    const ruling = decide(inKernel);
    expect(ruling).toMatchObject({
      created: true,
      decision: { id: KERNEL_ID, enforced_by: 'kernel', pushed: true },
    });
    expect(ruling.decision?.untilNs).toBe(clock.ns + 10 * MINUTE);
    expect(ruling.widened).toBeUndefined();
    expect(ledger.desired()).toEqual([]);
    expect(decide(inKernel).created).toBe(false);
  });

  it('is widened by the agent when the policy blocks more than it counts', () => {
    const { decide, ledger } = world();
    const wide = { policy: policy('p', { block: 'cgroup' }), subject: GROUP, counted: PROC, ...inKernel };
    const ruling = decide(wide);
    expect(ruling.decision).toMatchObject({ id: KERNEL_ID, subject: PROC, pushed: true });
    expect(ruling.widened).toMatchObject({ subject: GROUP, pushed: false, enforced_by: 'agent' });
    expect(ledger.desired()).toMatchObject([
      { subject: GROUP, verdict: 'deny', decision: ruling.widened?.id },
    ]);
    const other = decide({ ...wide, counted: subject('process', '5@5'), kernelDecision: '1111111111111111' });
    expect(other).toMatchObject({ created: true, widened: { id: ruling.widened?.id } });
    expect(ledger.list()).toHaveLength(3);
  });

  it('stands when only the wider subject is protected, and says so', () => {
    const { decide, allow } = world();
    allow.add({ subject: GROUP, reason: 'database' });
    const ruling = decide({
      policy: policy('p', { block: 'cgroup' }),
      subject: GROUP,
      counted: PROC,
      ...inKernel,
    });
    expect(ruling).toMatchObject({
      created: true,
      decision: { id: KERNEL_ID },
      refused: expect.stringMatching(/database/),
    });
    expect(ruling.widened).toBeUndefined();
  });

  it('must be released when its subject is protected', () => {
    const { decide, ledger, allow } = world();
    allow.add({ subject: PROC, reason: 'backup' });
    expect(decide(inKernel)).toMatchObject({
      created: false,
      release: KERNEL_ID,
      refused: expect.stringMatching(/backup/),
    });
    expect(ledger.list()).toEqual([]);
  });

  it('replaces an older copy of the same window whose end was missed', () => {
    const { decide, ledger, clock } = world();
    decide(inKernel);
    clock.ns += SECOND;
    decide({ ...inKernel, kernelDecision: '2222222222222222' });
    expect(ledger.list().map(({ id }) => id)).toEqual(['2222222222222222']);
  });

  it('does not come back when its event is read after the unblock', () => {
    const { decide, ledger, clock } = world();
    const atNs = clock.ns;
    clock.ns += 1;
    ledger.unblock({ subjects: [PROC] });
    expect(decide({ ...inKernel, atNs })).toMatchObject({ created: false, release: KERNEL_ID });
    expect(decide({ atNs }).created).toBe(false);
    clock.ns += 1;
    expect(decide({ ...inKernel, kernelDecision: '3333333333333333' }).created).toBe(true);
  });
});

describe('room', () => {
  const limits = { live: 3, operator: 1 };
  const fill = (w: ReturnType<typeof world>) =>
    [1, 2, 3].map((pid) => w.decide({ subject: subject('process', `${pid}@1`) }));

  it('is bounded, counted, and regained when decisions end', () => {
    const w = world({ limits });
    fill(w);
    expect(w.decide()).toMatchObject({ created: false, refused: expect.stringMatching(/full/) });
    expect(w.decide(inKernel).created).toBe(false);
    expect(w.ledger.stats()).toMatchObject({ live: 3, overflow: 2 });
    w.clock.ns += 10 * MINUTE;
    expect(w.decide().created).toBe(true);
  });

  it('is kept for the operator', () => {
    const w = world({ limits });
    fill(w);
    expect(w.ledger.block(blockInput()).created).toBe(true);
    expect(() => w.ledger.block(blockInput(GROUP))).toThrow(/full/);
    expect(w.ledger.block(blockInput()).created).toBe(false);
  });
});

/** Who may never be blocked, and the list the operator keeps of them. */
import { describe, expect, it } from 'vitest';
import { GROUP, MINUTE, PROC, subject, world } from './world.js';

const AGENT = { pid: 700, startTick: 7, why: 'the agent itself' };

describe('guardrails', () => {
  it('spare processes protected by birth, by pid and start, until they exit', () => {
    const { guardrails } = world({ processes: [AGENT] });
    expect(guardrails.check(subject('process', '700@7'))).toMatchObject({
      reason: expect.stringMatching(/the agent itself/),
      entry: { by: 'birth' },
    });
    expect(guardrails.check(subject('process', '700@8'))).toBeUndefined();
    guardrails.forget(700, 7);
    expect(guardrails.check(subject('process', '700@7'))).toBeUndefined();
  });

  it('keep room for a bounded number and say when it is used up', () => {
    const { guardrails } = world();
    const results = Array.from({ length: 4097 }, (_, pid) =>
      guardrails.protect({ pid, startTick: 1, why: 'x' }),
    );
    expect(results.filter((fits) => !fits)).toHaveLength(1);
    expect(guardrails.overflow).toBe(1);
    expect(guardrails.protect({ pid: 5, startTick: 1, why: 'x' })).toBe(true);
  });

  it.each([
    ['source', '127.3.2.1', true],
    ['source', '::1/64', true],
    ['source', '::ffff:127.0.0.1', true],
    ['source', '169.254.10.10', true],
    ['source', '10.0.0.1', true],
    ['source', '10.0.0.53', true],
    ['source', '10.0.0.9', true],
    ['source', '2001:db8::/64', true],
    ['source', '0.0.0.0/0', true],
    ['source', '10.0.0.2', false],
    ['source', '2001:db8:1::/64', false],
    ['source', '192.0.2.0/24', false],
    ['destination', '10.0.0.1:443', true],
    ['destination', '[2001:db8::53]:53', true],
    ['destination', '10.0.0.9:5432', false],
    ['destination', '127.0.0.1:5432', false],
    ['destination', '[2001:db8::54]:53', false],
    ['cgroup', '1', true],
    ['cgroup', '2', false],
    ['lineage', '1@0', true],
    ['lineage', '11@100', false],
  ] as const)('%s %s: protected %s', (kind, id, isProtected) => {
    expect(world().guardrails.check(subject(kind, id)) !== undefined).toBe(isProtected);
  });

  it('spare what the host needs, as a process and as the root of a lineage, asked anew each time', () => {
    let why: string | undefined = 'sshd, the way into this host';
    const { guardrails } = world({ host: { vital: (pid) => (pid === 4242 ? why : undefined) } });
    expect(guardrails.check(PROC)?.reason).toBe(
      'process 4242@100 is protected: sshd, the way into this host',
    );
    expect(guardrails.check(subject('lineage', '4242@100'))?.reason).toMatch(/its root: sshd/);
    expect(guardrails.check(subject('process', '4243@100'))).toBeUndefined();
    why = undefined;
    expect(guardrails.check(PROC)).toBeUndefined();
  });

  it('spare what belongs to an allowed group', () => {
    const root = subject('user', '0');
    const { guardrails, allow } = world({
      host: { groupsOf: ({ kind }) => (kind === 'process' ? [root] : []) },
    });
    expect(guardrails.check(PROC)).toBeUndefined();
    allow.add({ subject: root, reason: 'administrators' });
    expect(guardrails.check(PROC)?.reason).toMatch(
      /user user 0 is on the allow list \(administrators; by operator\)/,
    );
  });

  it('are told to the kernel ahead of every deny on the same subject', () => {
    const { guardrails, decide, allow, ledger, clock } = world({ processes: [AGENT] });
    decide();
    decide({ subject: GROUP });
    allow.add({ subject: PROC, reason: 'mistaken', forNs: MINUTE });
    expect(ledger.desired()).toMatchObject([
      { subject: { id: '700@7' }, verdict: 'allow', untilNs: Number.POSITIVE_INFINITY },
      { subject: PROC, verdict: 'allow', decision: '0000000000000000', untilNs: clock.ns + MINUTE },
      { subject: GROUP, verdict: 'deny' },
    ]);
    expect(guardrails.list()).toHaveLength(2);
    clock.ns += MINUTE;
    expect(ledger.desired()).toMatchObject([
      { verdict: 'allow' },
      { subject: PROC, verdict: 'deny' },
      { subject: GROUP },
    ]);
  });
});

describe('the allow list', () => {
  it('adds, replaces, shows and removes entries, with reason and end', () => {
    const { allow, clock } = world();
    allow.add({ subject: PROC, reason: 'first' });
    const entry = allow.add({ subject: PROC, reason: 'second', forNs: MINUTE });
    expect(entry).toEqual({
      subject: PROC,
      reason: 'second',
      by: 'operator',
      until: clock.wall(clock.ns + MINUTE),
    });
    expect(allow.list()).toEqual([entry]);
    expect(allow.check(PROC)).toEqual(entry);
    expect(allow.remove(PROC)).toEqual([entry]);
    expect(allow.remove(PROC)).toEqual([]);
    expect(allow.check(PROC)).toBeUndefined();
  });

  it('ends entries at their time', () => {
    const { allow, clock } = world();
    allow.add({ subject: PROC, reason: 'short', forNs: MINUTE });
    allow.add({ subject: GROUP, reason: 'long' });
    clock.ns += MINUTE;
    expect(allow.check(PROC)).toBeUndefined();
    expect(allow.list().map(({ reason }) => reason)).toEqual(['long']);
    expect(allow.expire(clock.ns).map(({ reason }) => reason)).toEqual(['short']);
    expect(allow.expire(clock.ns)).toEqual([]);
  });

  it('matches addresses by net, also as destinations, whichever is the wider', () => {
    const { allow } = world();
    allow.add({ subject: subject('source', '192.0.2.0/24'), reason: 'office' });
    for (const id of ['192.0.2.7', '192.0.0.0/16', '192.0.2.128/25'])
      expect(allow.check(subject('source', id))?.reason).toBe('office');
    expect(allow.check(subject('destination', '192.0.2.7:22'))?.reason).toBe('office');
    expect(allow.check(subject('source', '192.0.3.1'))).toBeUndefined();
    expect(allow.check(subject('user', '192'))).toBeUndefined();
  });

  it('takes the configuration’s entries at each start and keeps them out of the journal', () => {
    const { allow, journal } = world();
    const before = journal.text;
    allow.configure([{ subject: GROUP, reason: 'by file' }]);
    expect(allow.check(GROUP)).toMatchObject({ by: 'config', reason: 'by file' });
    expect(journal.text).toBe(before);
    allow.configure([]);
    expect(allow.check(GROUP)).toBeUndefined();
  });

  it('is bounded', () => {
    const { allow } = world();
    for (let uid = 0; uid < 4096; uid++) allow.add({ subject: subject('user', `${uid}`), reason: 'x' });
    expect(() => allow.add({ subject: PROC, reason: 'one more' })).toThrow(/full/);
    expect(allow.add({ subject: subject('user', '7'), reason: 'y' }).reason).toBe('y');
  });
});

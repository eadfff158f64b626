/** The engine: order, allow rules, verdicts met, kernel crossings, and trust. */
import { describe, expect, it } from 'vitest';
import { createEngine } from '../../../src/detect/engine.js';
import type { CapturedEvent } from '../../../src/model/json-event.js';
import type { Policy } from '../../../src/model/policy.js';
import { placePolicies } from '../../../src/policy/index.js';
import { authOf, crossedBy, engineOf, eventAt, named, policiesOf, policyOf, step } from './support.js';

const BLOCKING = 'detect: {burst: {limit: 2, within: 10s, by: process}}\nthen: {block: process, for: 20s}';
const WIDE = 'detect: {burst: {limit: 2, within: 60s, by: process}}\nthen: {block: cgroup, for: 20s}';
const ALERTING = 'detect: {burst: {limit: 2, within: 10s, by: process}}\nthen: {alert: true}';
const EACH = 'then: {alert: true}';

const process100 = { kind: 'process', id: '100@5000', name: 'probe (pid 100)' } as const;
const cgroup77 = { kind: 'cgroup', id: '77', name: '/test' } as const;

const inKernel = (policy: Policy): Policy => {
  const [placed] = placePolicies([policy], { sessionId: true, exe: () => true });
  expect(placed?.placement).toBe('kernel');
  return placed as Policy;
};

const events = (seconds: readonly number[], given: Partial<CapturedEvent> = {}) =>
  seconds.map((at) => eventAt(at, given));

describe('order of evaluation', () => {
  it('goes by priority, then by name', () => {
    const policies = policiesOf(
      ['b 1', 'a 1', 'c 900', 'd 500']
        .map((each) => each.split(' '))
        .map(
          ([name, priority]) => `kerngate: 1\npolicy: ${name}\non: connect\npriority: ${priority}\n${EACH}\n`,
        )
        .join('---\n'),
    );
    const crossings = step(engineOf(policies), eventAt(1));
    expect(crossings.map(({ policy }) => policy.name)).toEqual(['c', 'd', 'a', 'b']);
  });

  it('ends at an allow rule that matches, for weaker policies only', () => {
    const allow = policyOf('priority: 600\nmatch: {dst.port: 22}\nthen: {allow: true}', 'allow');
    const strong = policyOf(`priority: 700\n${EACH}`, 'strong');
    const weak = policyOf(`match: {dst.ip: 192.0.2.0/24}\n${EACH}`, 'weak');
    const engine = engineOf([weak, allow, strong]);
    expect(named(step(engine, eventAt(1)))).toEqual(['strong process:100@5000']);
    const other = eventAt(2, { dst: { ip: '192.0.2.1', port: 23 } });
    expect(step(engine, other).map(({ policy }) => policy.name)).toEqual(['strong', 'weak']);
  });

  it('is ended by an allow rule that the kernel enforces, too', () => {
    const allow = inKernel(policyOf('priority: 600\nmatch: {dst.port: 22}\nthen: {allow: true}', 'allow'));
    const engine = engineOf([allow, policyOf(EACH, 'weak')], { pushdown: true });
    expect(step(engine, eventAt(1))).toEqual([]);
  });

  it('shows an event only to policies that name its kind', () => {
    const engine = engineOf([
      policyOf(`on: [exec, connect]\n${EACH}`, 'two'),
      policyOf(`on: exec\n${EACH}`, 'one'),
    ]);
    expect(step(engine, eventAt(1)).map(({ policy }) => policy.name)).toEqual(['two']);
    expect(step(engine, eventAt(1, { kind: 'exit' }))).toEqual([]);
  });
});

describe('verdicts met', () => {
  it('counts no attempt that was denied', () => {
    const engine = engineOf([policyOf(BLOCKING)]);
    expect(crossedBy(engine, [...events([1, 2]), ...events([3, 4], { verdict: 'deny' })])).toEqual([]);
    expect(crossedBy(engine, events([5]))).toEqual([0]);
  });

  it('counts an attempt that passed under an audit entry for every rule but its own', () => {
    const own = policyOf(ALERTING, 'own');
    const other = policyOf(`match: {dst.port: 22}\n${ALERTING}`, 'other');
    const engine = engineOf([own, other]);
    const audited = events([1, 2, 3], { verdict: 'audit', rule: own.hash });
    expect(audited.flatMap((event) => named(step(engine, event)))).toEqual(['other process:100@5000']);
  });
});

describe('crossings in the kernel', () => {
  const pushed = inKernel(policyOf(BLOCKING, 'pushed'));
  const crossed = { rule: pushed.hash, crossed: true } as const;

  it.each(['deny', 'audit'] as const)('hands on a crossing under verdict %s, once', (verdict) => {
    const engine = engineOf([pushed, policyOf(`match: {uid: 5}\n${EACH}`)], { pushdown: true });
    const got = step(engine, eventAt(1, { ...crossed, verdict }));
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({
      policy: pushed,
      inKernel: true,
      subject: process100,
      counted: process100,
    });
  });

  it('does not test the match again', () => {
    const policy = inKernel(policyOf(`match: {dst.port: 443}\n${BLOCKING}`));
    const engine = engineOf([policy], { pushdown: true });
    expect(step(engine, eventAt(1, { verdict: 'deny', rule: policy.hash, crossed: true }))).toHaveLength(1);
  });

  it('feeds other policies when the attempt passed, and none when it was denied', () => {
    const engine = engineOf([pushed, policyOf(EACH, 'each')], { pushdown: true });
    const names = (verdict: 'audit' | 'deny') => named(step(engine, eventAt(1, { ...crossed, verdict })));
    expect(names('audit')).toEqual(['pushed process:100@5000', 'each process:100@5000']);
    expect(names('deny')).toEqual(['pushed process:100@5000']);
  });

  it('counts nothing here for a policy the kernel counts, unless there is no kernel', () => {
    const list = events([1, 2, 3]);
    expect(crossedBy(engineOf([pushed], { pushdown: true }), list)).toEqual([]);
    expect(crossedBy(engineOf([pushed], { pushdown: false }), list)).toEqual([2]);
  });

  it('names the blocked subject and the counted one', () => {
    const policy = inKernel(policyOf(WIDE));
    const engine = engineOf([policy], { pushdown: true });
    const [got] = step(engine, eventAt(1, { verdict: 'deny', rule: policy.hash, crossed: true }));
    expect(got).toMatchObject({ subject: cgroup77, counted: process100 });
  });

  it('counts a crossing of a rule it does not know', () => {
    const engine = engineOf([pushed], { pushdown: true });
    expect(step(engine, eventAt(1, { verdict: 'deny', rule: 'f'.repeat(16), crossed: true }))).toEqual([]);
    expect(step(engine, eventAt(1, { verdict: 'deny', crossed: true }))).toEqual([]);
    expect(engine.stats().unknownRules).toBe(2);
  });
});

describe('subjects', () => {
  it('blocks what the policy names, not what it counts by', () => {
    const engine = engineOf([policyOf(WIDE)]);
    const [got] = events([1, 2, 3]).flatMap((event) => step(engine, event));
    expect(got).toMatchObject({ subject: cgroup77, counted: process100, inKernel: false, untrusted: false });
  });

  it('lets the counted subject stand in for one the event does not have, and counts that', () => {
    const engine = engineOf([policyOf(`then: {block: container, for: 20s}`)]);
    expect(named(step(engine, eventAt(1)))).toEqual(['test process:100@5000']);
    expect(engine.stats().fallbacks).toBe(1);
  });

  it('counts an event that has no key at all, and goes on', () => {
    const body = 'detect: {burst: {limit: 0, within: 10s, by: unit}}\nthen: {alert: true}';
    const engine = engineOf([policyOf(body)]);
    expect(step(engine, eventAt(1))).toEqual([]);
    expect(engine.stats().unkeyed).toBe(1);
    expect(named(step(engine, eventAt(1, { unit: 'a.service' })))).toEqual(['test unit:a.service']);
  });

  it('keeps one blocked group quiet for all its members, and empties their windows', () => {
    const engine = engineOf([policyOf(WIDE)]);
    const at = (seconds: number, pid: number) => eventAt(seconds, { pid });
    const list = [
      at(1, 2),
      at(1, 2),
      at(2, 1),
      at(2, 1),
      at(3, 1),
      at(4, 2),
      at(22, 2),
      at(23, 2),
      at(24, 2),
    ];
    // Process 1 has the group blocked at 3; process 2 had two attempts before, one during the block.
    expect(crossedBy(engine, list)).toEqual([4]);
    expect(crossedBy(engine, [at(25, 2)])).toEqual([0]);
  });
});

describe('events that are not trusted', () => {
  const policy = policyOf(
    'on: auth.failure\ndetect: {burst: {limit: 2, within: 60s, by: source}}\nthen: {block: source, for: 20s}',
  );
  const told = (at: number, untrusted: boolean) =>
    eventAt(at, { ...authOf('root', '198.51.100.9'), untrusted });

  it('alert, but complete no count of trusted ones', () => {
    const engine = engineOf([policy]);
    const list = [told(1, false), told(2, false), told(3, true), told(4, true), told(5, true)];
    const got = list.flatMap((event) => step(engine, event));
    expect(got.map(({ untrusted, subject }) => [untrusted, subject.id])).toEqual([[true, '198.51.100.9']]);
  });

  it('are not there for the trusted ones', () => {
    const engine = engineOf([policy]);
    const list = [told(1, true), told(2, true), told(3, false), told(4, false)];
    expect(crossedBy(engine, list)).toEqual([]);
    expect(step(engine, told(5, false)).map(({ untrusted }) => untrusted)).toEqual([false]);
  });

  it('do not silence the rule for the trusted ones', () => {
    const engine = engineOf([policy]);
    const list = [1, 2, 3, 4].map((at) => told(at, true)).concat([5, 6, 7, 8].map((at) => told(at, false)));
    const got = list.flatMap((event) => step(engine, event));
    expect(got.map(({ untrusted }) => untrusted)).toEqual([true, false]);
  });
});

describe('createEngine', () => {
  it('emits the same for the same input, whatever the seed, as long as nothing is given up', () => {
    const list = Array.from({ length: 500 }, (_, i) => eventAt(1 + i / 100, { pid: 1 + (i % 37) }));
    const run = (seed?: [number, number]) => {
      const engine = createEngine([policyOf(BLOCKING)], seed ? { seed } : {});
      return crossedBy(engine, list);
    };
    expect(run([9, 9])).toEqual(run());
    expect(run()).toHaveLength(37);
  });
});

/** What the engine keeps, and what it forgets: reloads, lifted blocks. */
import { describe, expect, it } from 'vitest';
import type { CapturedEvent } from '../../../src/model/json-event.js';
import { crossedBy, engineOf, eventAt, named, policyOf, step } from './support.js';

const BLOCKING = 'detect: {burst: {limit: 2, within: 10s, by: process}}\nthen: {block: process, for: 20s}';
const WIDE = 'detect: {burst: {limit: 2, within: 60s, by: process}}\nthen: {block: cgroup, for: 20s}';
const ALERTING = 'detect: {burst: {limit: 2, within: 10s, by: process}}\nthen: {alert: true}';

const process100 = { kind: 'process', id: '100@5000', name: 'probe (pid 100)' } as const;
const cgroup77 = { kind: 'cgroup', id: '77', name: '/test' } as const;

const events = (seconds: readonly number[], given: Partial<CapturedEvent> = {}) =>
  seconds.map((at) => eventAt(at, given));

describe('reload', () => {
  it('keeps the windows of an unchanged rule, under another name, consequence or priority', () => {
    const engine = engineOf([policyOf(BLOCKING, 'old')]);
    crossedBy(engine, events([1, 2]));
    engine.reload([policyOf(`priority: 9\n${ALERTING}`, 'new')]);
    expect(named(step(engine, eventAt(3)))).toEqual(['new process:100@5000']);
  });

  it('knows whether an alert was armed, also after the rule had blocked before', () => {
    const engine = engineOf([policyOf(ALERTING, 'rule')]);
    expect(crossedBy(engine, events([1, 2, 3]))).toEqual([2]);
    engine.reload([policyOf(BLOCKING, 'rule')]);
    expect(crossedBy(engine, events([4]))).toEqual([0]);
  });

  it('starts a changed rule with empty windows and drops what is gone', () => {
    const engine = engineOf([policyOf(BLOCKING, 'rule')]);
    crossedBy(engine, events([1, 2]));
    engine.reload([policyOf(`match: {dst.port: 22}\n${BLOCKING}`, 'rule')]);
    expect(crossedBy(engine, events([3, 4]))).toEqual([]);
    engine.reload([]);
    expect(step(engine, eventAt(5))).toEqual([]);
    expect(engine.stats().keys).toBe(0);
  });

  it('does not lose count of evictions', () => {
    const engine = engineOf([policyOf(ALERTING, 'rule')], { capacity: 8 });
    for (let pid = 1; pid <= 20; pid++) step(engine, eventAt(1, { pid }));
    engine.reload([]);
    expect(engine.stats().evictions).toBe(12);
  });
});

describe('forget', () => {
  it('ends the quiet time with an empty window', () => {
    const policy = policyOf(BLOCKING);
    const engine = engineOf([policy]);
    expect(crossedBy(engine, events([1, 2, 3, 4]))).toEqual([2]);
    engine.forget(policy.hash, process100);
    expect(crossedBy(engine, events([5, 6, 7]))).toEqual([2]);
  });

  it('empties a window that has not crossed', () => {
    const policy = policyOf(BLOCKING);
    const engine = engineOf([policy]);
    crossedBy(engine, events([1, 2]));
    engine.forget(policy.hash, process100);
    expect(crossedBy(engine, events([3, 4, 5]))).toEqual([2]);
  });

  it('empties the windows of all members of a group', () => {
    const policy = policyOf(WIDE);
    const engine = engineOf([policy]);
    const by = (pid: number, ...seconds: number[]) => events(seconds, { pid });
    expect(crossedBy(engine, [...by(2, 1, 1.5), ...by(1, 2, 2.5, 3)])).toEqual([4]);
    crossedBy(engine, by(1, 4));
    engine.forget(policy.hash, cgroup77);
    expect(crossedBy(engine, [...by(2, 5, 6), ...by(1, 5, 6)])).toEqual([]);
    expect(crossedBy(engine, by(2, 7))).toEqual([0]);
  });

  it('touches no other rule and no other subject', () => {
    const policy = policyOf(BLOCKING);
    const engine = engineOf([policy]);
    crossedBy(engine, events([1, 2]));
    engine.forget('0'.repeat(16), process100);
    engine.forget(policy.hash, { ...process100, id: '100@5001' });
    engine.forget(policy.hash, cgroup77);
    expect(crossedBy(engine, events([3]))).toEqual([0]);
  });
});

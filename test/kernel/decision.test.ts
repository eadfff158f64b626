/**
 * The decision as one function of rules, verdicts and an attempt, on virtual time: thousands of made-up
 * cases, each against a naive model of the contract. No hook is attached and nothing connects.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installRules } from '../../src/kernel/rule-bank.js';
import { clear, type Decision, eventOf, kernelRuleOf, openDecision, VERDICTS } from './decision.js';
import { type Attempt, Oracle, type RuleSpec } from './oracle.js';

const SETS = 150;
const IPS = ['127.0.0.1', '10.1.2.3', '10.1.9.9', '::1', '2001:db8::7'] as const;
const NETS = [
  { cidr: '10.0.0.0/8', covers: ['10.1.2.3', '10.1.9.9'] },
  { cidr: '10.1.2.0/24', covers: ['10.1.2.3'] },
  { cidr: '2001:db8::/32', covers: ['2001:db8::7'] },
  { cidr: '::/0', covers: [...IPS] },
] as const;
const EXES = [process.execPath, '/bin/sh', '/bin/cat'];

const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const rule: fc.Arbitrary<Omit<RuleSpec, 'name'>> = fc
  .record({
    on: fc.constantFrom<RuleSpec['on'][]>(['connect'], ['send'], ['connect', 'send'], ['connect', 'send']),
    priority: fc.constantFrom(400, 500, 600),
    allow: fc.nat(9).map((n) => n === 9),
    audit: fc.boolean(),
    by: fc.constantFrom<RuleSpec['by'][]>('process', 'lineage', 'cgroup', 'user', 'exe', 'destination'),
    limit: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 16 })),
    withinMs: fc.integer({ min: 1, max: 60 }),
    forMs: fc.integer({ min: 1, max: 40 }),
    ports: maybe(fc.tuple(fc.nat(5), fc.nat(4)).map(([from, more]) => ({ from, to: from + more }))),
    net: maybe(fc.tuple(fc.boolean(), fc.constantFrom(...NETS)).map(([not, net]) => ({ not, ...net }))),
    uid: maybe(fc.record({ not: fc.boolean(), uid: fc.constantFrom(0, 1001) })),
    exe: maybe(fc.record({ not: fc.boolean(), path: fc.constantFrom(...EXES) })),
    proto: maybe(fc.constantFrom<'tcp' | 'udp'>('tcp', 'udp')),
  })
  .map(
    (spec) =>
      Object.fromEntries(
        Object.entries(spec).filter(([, value]) => value !== undefined),
      ) as typeof spec as Omit<RuleSpec, 'name'>,
  );

/** Who tries what, and how long after the attempt before. */
const step = fc.record({
  afterNs: fc.oneof(
    fc.constant(0),
    fc.integer({ min: 1, max: 3_000_000 }),
    fc.integer({ min: 1, max: 60 }).map((ms) => ms * 1_000_000),
  ),
  kind: fc.constantFrom('connect' as const, 'connect' as const, 'send' as const),
  proto: fc.constantFrom('tcp' as const, 'udp' as const),
  ip: fc.constantFrom(...IPS),
  port: fc.integer({ min: 0, max: 9 }),
  uid: fc.constantFrom(0, 1001),
  exe: fc.constantFrom(...EXES),
  process: fc.integer({ min: 100, max: 102 }),
  lineage: fc.integer({ min: 90, max: 91 }),
  cgroup: fc.integer({ min: 7001, max: 7002 }),
});

const attemptOf = (
  {
    afterNs: _,
    process: pid,
    lineage,
    cgroup,
    ...rest
  }: typeof step extends fc.Arbitrary<infer S> ? S : never,
  atNs: bigint,
): Attempt => ({
  ...rest,
  atNs,
  keys: {
    process: String(pid),
    lineage: String(lineage),
    cgroup: String(cgroup),
    user: String(rest.uid),
    exe: rest.exe,
    destination: `${rest.ip} ${rest.port}`,
  },
});

let decision: Decision;
beforeAll(() => {
  decision = openDecision();
});
afterAll(() => decision?.close());

describe('the decision', () => {
  it(`is the contract's for ${SETS} random sets of up to 16 rules`, () => {
    const tally = { none: 0, audit: 0, deny: 0 };
    let set = 0;
    const cases = fc.tuple(
      fc.array(rule, { minLength: 1, maxLength: 16, size: 'max' }),
      fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
    );
    fc.assert(
      fc.property(cases, ([specs, steps]) => {
        set++;
        clear(decision.maps);
        const rules = specs
          .map((spec, i) => ({ ...spec, name: `r${String(i).padStart(2, '0')}` }))
          .sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
        const hashes = rules.map((_, i) => (BigInt(set) * 100n + BigInt(i) + 1n).toString(16));
        installRules(
          decision.maps,
          rules.map((spec, i) => kernelRuleOf(spec, i, hashes[i] ?? '')),
          'enforce',
        );
        const oracle = new Oracle(rules);
        let atNs = 1_000_000_000_000n;
        steps.forEach((one, i) => {
          atNs += BigInt(one.afterNs);
          const attempt = attemptOf(one, atNs);
          const wanted = oracle.step(attempt);
          const got = decision.decide(eventOf(attempt));
          const verdict = VERDICTS[got.verdict] ?? 'unknown';
          const policy = rules[hashes.indexOf(got.rule.toString(16))]?.name;
          tally[wanted.verdict]++;
          expect({ i, verdict, policy }).toEqual({ i, verdict: wanted.verdict, policy: wanted.policy });
        });
      }),
      { numRuns: SETS, endOnFailure: true },
    );
    /* cases that never meet would prove nothing */
    expect(tally.deny).toBeGreaterThan(SETS);
    expect(tally.audit).toBeGreaterThan(SETS);
    expect(tally.none).toBeGreaterThan(SETS);
  });
});

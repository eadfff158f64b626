/** Random captures under random rules against the plainest model of the contract, attempt by attempt. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Captured } from '../../../src/capture/captured.js';
import { BREAKER_OFF } from '../../../src/decide/breaker.js';
import { parsePolicyText, placePolicies } from '../../../src/policy/index.js';
import { Run } from '../../../src/replay/run.js';
import { type Attempt, Oracle, type RuleSpec, type Verdict, yamlOf } from '../../kernel/oracle.js';
import { eventAt, HEADER } from '../capture/lines.js';

const IPS = ['192.0.2.1', '198.51.100.7'] as const;
const EXES = ['/usr/bin/a', '/usr/bin/b'] as const;

/** Mostly absent, so that rules overlap. */
const seldom = <T>(...values: T[]) => fc.constantFrom<T | undefined>(...Array(4).fill(undefined), ...values);

const anyRule = fc.record({
  on: fc.constantFrom<RuleSpec['on']>(['connect'], ['send'], ['connect', 'send']),
  priority: fc.constantFrom(100, 500, 900),
  allow: fc.constantFrom(false, false, false, false, false, false, true),
  audit: fc.constantFrom(false, false, true),
  by: fc.constantFrom<RuleSpec['by']>('process', 'lineage', 'cgroup', 'user', 'exe', 'destination'),
  limit: fc.constantFrom<number | undefined>(undefined, 0, 1, 2, 3, 5, 8),
  withinMs: fc.constantFrom(1000, 3000, 20_000),
  forMs: fc.constantFrom(100, 500, 4000),
  ports: seldom({ from: 1, to: 2 }, { from: 3, to: 9 }),
  net: seldom(...[false, true].map((not) => ({ not, cidr: '192.0.2.0/24', covers: [IPS[0]] }))),
  uid: seldom({ not: false, uid: 1000 }, { not: true, uid: 1000 }),
  exe: seldom({ not: false, path: EXES[0] }),
  proto: seldom<'tcp' | 'udp'>('tcp', 'udp'),
});

/** What is undefined is absent. A rule without detector counts for whom it blocks, which no user or program is. */
const ruleOf = (made: object, at: number): RuleSpec => {
  const rule = Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined));
  const spec = { name: `rule-${at}`, limit: undefined, ...rule } as unknown as RuleSpec;
  const isCounted = spec.limit !== undefined || !['user', 'exe'].includes(spec.by);
  return isCounted ? spec : { ...spec, by: 'process' };
};

interface Made {
  readonly gapMs: number;
  readonly kind: 'connect' | 'send';
  readonly udp: boolean;
  readonly ip: string;
  readonly port: number;
  readonly who: number;
}

const anyAttempt: fc.Arbitrary<Made> = fc.record({
  gapMs: fc.constantFrom(0, 1, 50, 100, 400, 1001),
  kind: fc.constantFrom<'connect' | 'send'>('connect', 'connect', 'send'),
  udp: fc.boolean(),
  ip: fc.constantFrom(...IPS),
  port: fc.integer({ min: 1, max: 4 }),
  who: fc.integer({ min: 0, max: 3 }),
});

/** Four processes: two trees, two users, two cgroups, two programs, all crosswise. */
const WHO = [0, 1, 2, 3].map((n) => ({
  pid: 100 + n,
  tree: 50 + (n % 2),
  uid: 1000 + (n >> 1),
  cgroup: { id: String(7 + (n % 2)), path: `/group-${n % 2}` },
  exe: n === 1 || n === 2 ? EXES[0] : EXES[1],
}));

const eventOf = (made: Made, ms: number) => {
  const who = WHO[made.who] ?? WHO[0];
  if (!who) throw new Error('nobody');
  const proto = made.kind === 'send' || made.udp ? 'udp' : 'tcp';
  const atNs = BigInt(ms) * 1_000_000n;
  const attempt: Attempt = {
    ...{ atNs, kind: made.kind, proto, ip: made.ip, port: made.port, uid: who.uid, exe: who.exe },
    keys: {
      process: String(who.pid),
      lineage: String(who.tree),
      cgroup: who.cgroup.id,
      user: String(who.uid),
      exe: who.exe,
      destination: `${made.ip}:${made.port}`,
    },
  };
  const { pid, uid, cgroup, exe } = who;
  const lineage = { pid: who.tree, start: '10000000000' };
  const dst = { ip: made.ip, port: made.port };
  return {
    attempt,
    event: eventAt(ms / 1000, { kind: made.kind, pid, uid, cgroup, exe, lineage, proto, dst }),
  };
};

const verdictsOf = (rules: readonly RuleSpec[], events: readonly ReturnType<typeof eventOf>[]): Verdict[] => {
  const { policies, problems } = parsePolicyText(rules.map(yamlOf).join('---\n'), 'rules.yaml');
  expect(problems).toEqual([]);
  const placed = placePolicies(policies, { sessionId: true, exe: () => true });
  expect(placed.filter(({ placement }) => placement !== 'kernel')).toEqual([]);
  const run = new Run({ policies: placed, mode: 'enforce', header: HEADER, breaker: BREAKER_OFF });
  const captured = new Captured();
  return events.map(({ event }) => {
    captured.parsed(event);
    run.feed(captured);
    const { refusal } = run;
    if (!refusal) return { verdict: 'none' };
    return { verdict: refusal.entry.mode === 'enforce' ? 'deny' : 'audit', policy: refusal.entry.policy };
  });
};

describe('a replay', () => {
  it('gives every attempt the verdict the contract gives it', () => {
    const seen = new Set<string>();
    let plain = 0;
    fc.assert(
      fc.property(
        fc.array(anyRule, { minLength: 2, maxLength: 6 }),
        fc.array(anyAttempt, { minLength: 60, maxLength: 120 }),
        (made, attempts) => {
          const rules = made.map(ruleOf);
          let ms = 100_000;
          const events = attempts.map((attempt) => {
            ms += attempt.gapMs;
            return eventOf(attempt, ms);
          });
          const oracle = new Oracle(rules);
          const wanted = events.map(({ attempt }) => oracle.step(attempt));
          for (const { verdict } of wanted) seen.add(verdict);
          const got = verdictsOf(rules, events);
          expect(got.map(({ verdict }) => verdict)).toEqual(wanted.map(({ verdict }) => verdict));
          // Beside the window of a user or a program lies the agent's block of the process, which is met first.
          const isPlain = !rules.some(({ by }) => by === 'user' || by === 'exe');
          if (isPlain) expect(got).toEqual(wanted);
          plain += isPlain ? 1 : 0;
        },
      ),
      { numRuns: 120 },
    );
    expect(plain).toBeGreaterThan(10);
    expect([...seen].sort()).toEqual(['audit', 'deny', 'none']);
  }, 60_000);
});

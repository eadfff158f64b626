/**
 * The kernel against the contract: random rules, random attempts by real processes, and for each the same
 * verdict as a naive model gives that knows nothing of the kernel but the time stamp of the attempt.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { callAgent } from '../../src/control/client.js';
import type { Event } from '../../src/model/event.js';
import { compiled } from './fixtures/compile.js';
import { type Attempt, Oracle, type RuleSpec, yamlOf } from './oracle.js';
import { Player } from './player.js';
import { type Stand, withStand } from './stand.js';

const RUNS = 20;
const ADDRESSES = ['127.0.0.1', '127.77.1.1', '127.77.2.1', '::1'] as const;
const NETS = [
  { cidr: '127.0.0.0/8', covers: ['127.0.0.1', '127.77.1.1', '127.77.2.1'] },
  { cidr: '127.77.0.0/16', covers: ['127.77.1.1', '127.77.2.1'] },
  { cidr: '127.77.2.1', covers: ['127.77.2.1'] },
  { cidr: '"::1"', covers: ['::1'] },
] as const;

/** One order to one player. */
interface Step {
  readonly player: number;
  readonly who: '' | 'child ' | 'thread ';
  readonly way: 'connect' | 'udp' | 'send';
  readonly ip: (typeof ADDRESSES)[number];
  /** Written as a v4-mapped IPv6 address, which is the same address. */
  readonly mapped: boolean;
  readonly port: number;
  readonly pauseMs: number;
  /** Number of a rule whose blocks the operator takes back before. */
  readonly lift: number | undefined;
}

/** Seldom: rules that match little meet nothing. */
const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });

const ruleOf = (exes: readonly string[]): fc.Arbitrary<Omit<RuleSpec, 'name'>> =>
  fc
    .record({
      on: fc.constantFrom<RuleSpec['on'][]>(['connect'], ['send'], ['connect', 'send'], ['connect', 'send']),
      priority: fc.constantFrom(400, 500, 600),
      allow: fc.nat(11).map((n) => n === 11),
      audit: fc.constantFrom(false, true, false),
      by: fc.constantFrom<RuleSpec['by'][]>('process', 'lineage', 'cgroup', 'user', 'exe', 'destination'),
      limit: fc.constantFrom(3, 2, 1, 4, 2, 5, 6, 3, 0),
      withinMs: fc.oneof(fc.integer({ min: 50, max: 400 }), fc.integer({ min: 400, max: 2_000 })),
      forMs: fc.integer({ min: 20, max: 300 }),
      ports: maybe(
        fc.tuple(fc.nat(2), fc.nat(2)).map(([from, more]) => ({ from: from + 1, to: from + 1 + more })),
      ),
      net: maybe(fc.record({ not: fc.boolean(), net: fc.constantFrom(...NETS) })),
      uid: maybe(fc.record({ not: fc.boolean(), uid: fc.constantFrom(0, 1001) })),
      exe: maybe(fc.record({ not: fc.boolean(), path: fc.constantFrom(...exes) })),
      proto: maybe(fc.constantFrom<'tcp' | 'udp'>('tcp', 'udp')),
    })
    .map(({ ports, net, uid, exe, proto, ...rule }) => ({
      ...rule,
      ...(ports && { ports }),
      ...(net && { net: { not: net.not, ...net.net } }),
      ...(uid && { uid }),
      ...(exe && { exe }),
      ...(proto && { proto }),
    }));

const step: fc.Arbitrary<Step> = fc.record({
  player: fc.nat(3),
  who: fc.constantFrom('' as const, '' as const, 'thread ' as const, 'child ' as const),
  way: fc.constantFrom('connect' as const, 'connect' as const, 'udp' as const, 'send' as const),
  ip: fc.constantFrom(...ADDRESSES),
  mapped: fc.boolean(),
  port: fc.integer({ min: 1, max: 4 }),
  pauseMs: fc.constantFrom(0, 0, 0, 0, 2, 10, 40, 120),
  lift: fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(3) }),
});

interface Being {
  readonly player: Player;
  readonly uid: number;
  readonly exe: string;
  readonly cgroup: string;
}

const populate = async (stand: Stand, exes: readonly string[]): Promise<Being[]> => {
  const [one, two] = [stand.makeCgroup('one'), stand.makeCgroup('two')];
  const wanted: [number, number, string][] = [
    [0, 0, one],
    [1001, 0, one],
    [1001, 1, two],
    [0, 1, two],
  ];
  return Promise.all(
    wanted.map(async ([uid, exe, cgroup]) => {
      const program = exes[exe] ?? '';
      return { player: await Player.start(stand, { cgroup, uid, program }), uid, exe: program, cgroup };
    }),
  );
};

const attemptOf = (being: Being, { who, way, ip, port }: Step, number: number): Omit<Attempt, 'atNs'> => {
  const lineage = String(being.player.pid);
  return {
    kind: way === 'send' ? 'send' : 'connect',
    proto: way === 'connect' ? 'tcp' : 'udp',
    ip,
    port,
    uid: being.uid,
    exe: being.exe,
    keys: {
      process: who === 'child ' ? `child ${number}` : lineage,
      lineage,
      cgroup: being.cgroup,
      user: String(being.uid),
      exe: being.exe,
      destination: `${ip} ${port}`,
    },
  };
};

const wordsOf = ({ who, way, ip, mapped, port }: Step): string =>
  `${who}${way} ${mapped && !ip.includes(':') ? '::ffff:' : ''}${ip} ${port}`;

/** What the kernel said of each attempt, by its own time stamp, in order. */
const seenSince = async (stand: Stand, sinceNs: bigint, count: number): Promise<Event[]> => {
  for (;;) {
    const kinds = await Promise.all(
      ['connect', 'send'].map((kind) => callAgent<Event[]>(stand.socket, 'GET', `/v1/events?kind=${kind}`)),
    );
    const seen = kinds.flat().filter(({ boot_ns }) => BigInt(boot_ns) >= sinceNs);
    if (seen.length >= count) return seen.sort((a, b) => (BigInt(a.boot_ns) < BigInt(b.boot_ns) ? -1 : 1));
    await sleep(5);
  }
};

const play = async (
  stand: Stand,
  beings: readonly Being[],
  rules: readonly RuleSpec[],
  steps: readonly Step[],
) => {
  const begun: { before: bigint; after: bigint; passed: boolean; lifted?: bigint }[] = [];
  for (const { pauseMs, lift, ...rest } of steps) {
    await sleep(pauseMs);
    const policy = lift === undefined ? undefined : rules[lift];
    if (policy && !policy.allow)
      await callAgent(stand.socket, 'POST', '/v1/unblock', { policy: policy.name });
    const being = beings[rest.player] as Being;
    begun.push(await being.player.attempt(wordsOf({ pauseMs, lift, ...rest })));
  }
  const seen = await seenSince(stand, begun[0]?.before ?? 0n, steps.length);
  expect(seen.length).toBe(steps.length);
  return begun.map((answer, i) => ({ ...answer, event: seen[i] as Event }));
};

it(`gives ${RUNS} random rule sets the verdicts of the contract`, () =>
  withStand(async (stand) => {
    const exes = [join(stand.dir, 'one'), join(stand.dir, 'two')];
    for (const exe of exes) copyFileSync(compiled('player'), exe);
    await stand.start({
      mode: 'enforce',
      policy: yamlOf({ ...BLAND, name: 'bland' }),
      config: `launchers: [${process.execPath}]\n`,
    });
    const beings = await populate(stand, exes);
    let run = 0;
    const sets = fc.tuple(
      fc.array(ruleOf(exes), { minLength: 2, maxLength: 4, size: 'max' }),
      fc.array(step, { minLength: 30, maxLength: 45, size: 'max' }),
    );
    const tally = { none: 0, audit: 0, deny: 0 };
    await fc.assert(
      fc.asyncProperty(sets, async ([specs, steps]) => {
        run++;
        const rules = specs.map((spec, i) => ({ ...spec, name: `r${run}-${i}` }));
        await callAgent(stand.socket, 'POST', '/v1/unblock', { all: true });
        await stand.reload(rules.map(yamlOf).join('---\n'));
        const played = await play(stand, beings, rules, steps);
        const oracle = new Oracle(rules);
        played.forEach(({ before, after, passed, event }, i) => {
          const atNs = BigInt(event.boot_ns);
          const { lift, player } = steps[i] as Step;
          const lifted = lift === undefined ? undefined : rules[lift];
          if (lifted) oracle.lift(lifted.name, before);
          const attempt = { ...attemptOf(beings[player] as Being, steps[i] as Step, i), atNs };
          const { verdict } = oracle.step(attempt);
          tally[verdict]++;
          const place = `${rules.map(yamlOf).join('---\n')}\nattempt ${i}: ${wordsOf(steps[i] as Step)} by ${player}`;
          expect({ verdict: event.verdict, passed, inTime: before <= atNs && atNs <= after, place }).toEqual({
            verdict,
            passed: verdict !== 'deny',
            inTime: true,
            place,
          });
        });
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    // The rules and attempts must be such that they meet.
    expect(tally.deny).toBeGreaterThan(RUNS);
    expect(tally.audit).toBeGreaterThan(RUNS / 2);
    expect(tally.none).toBeGreaterThan(RUNS);
  }));

const BLAND: Omit<RuleSpec, 'name'> = {
  on: ['connect'],
  priority: 500,
  allow: false,
  audit: false,
  by: 'process',
  limit: 5,
  withinMs: 100,
  forMs: 100,
};

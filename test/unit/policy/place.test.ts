/** Where each policy is enforced: exactly what the hook can decide goes to the kernel. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Policy } from '../../../src/model/policy.js';
import { type KernelCan, parsePolicyText, placePolicies } from '../../../src/policy/index.js';
import { eventOf } from './event.js';
import { policyOf, policyText } from './policies.js';

const can: KernelCan = { sessionId: true, exe: () => true };

const placeOne = (lines: Readonly<Record<string, string>>, kernel: KernelCan = can): Policy => {
  const [policy] = placePolicies([policyOf(lines)], kernel);
  if (!policy) throw new Error('the policy was lost');
  return policy;
};

const burst = (by = 'process', limit = 5): string => `{burst: {limit: ${limit}, within: 10s, by: ${by}}}`;

test.each([
  ['the seed rule', { detect: burst() }],
  ['a limit of 16', { detect: burst('process', 16) }],
  ['a limit of 0', { detect: burst('process', 0) }],
  ['a wider block', { detect: burst(), action: '{block: unit}' }],
  ['send and connect', { on: '[connect, send]', detect: burst('cgroup') }],
  ['by session', { detect: burst('session') }],
  ['by user', { detect: burst('user') }],
  ['by exe', { detect: burst('exe') }],
  ['by destination', { detect: burst('destination') }],
  ['by lineage', { detect: burst('lineage') }],
  ['a rule', {}],
  ['a rule on a unit', { action: '{block: unit}' }],
  [
    'every dimension',
    { match: '{dst.port: 22, dst.ip: "::/0", exe: /bin/nc, uid: [0, 5-7], proto: [tcp, udp]}' },
  ],
  ['allow', { match: '{dst.port: 53}', action: '{allow: true}' }],
])('kernel: %s', (_, lines) => {
  const policy = placeOne(lines);
  expect(policy).toMatchObject({
    placement: 'kernel',
    kernelRule: { policy: 'sample', hash: policy.hash, order: 0 },
  });
  expect(policy.why).toMatch(/^[A-Z].*\.$/);
});

test.each([
  ['another kind', { on: '[connect, exec]' }, 'not exec'],
  ['an outcome', { on: 'connect.fail' }, 'not connect.fail'],
  ['when', { when: 'event.uid != 0' }, 'when'],
  ['distinct', { detect: '{burst: {limit: 5, within: 10s, by: process, distinct: dst}}' }, 'distinct'],
  ['tiers', { detect: '{burst: [{limit: 5, within: 10s, by: process}, {limit: 9, within: 1m}]}' }, 'tiers'],
  ['a limit of 17', { detect: burst('process', 17) }, 'limit 17'],
  ['alert only', { action: '{alert: true}' }, 'only alerts'],
  ['by unit', { detect: burst('unit') }, 'count by unit'],
  ['by container', { detect: burst('container') }, 'count by container'],
  ['another field', { match: '{comm: nc}' }, 'comm'],
  ['a source port', { match: '{src.port: 1}' }, 'src.port'],
  ['a glob', { match: '{exe: /bin/*}' }, 'glob'],
  ['another protocol', { match: '{proto: [tcp, sctp]}' }, 'proto'],
  ['not a protocol', { match: '{proto: {not: tcp}}' }, 'proto'],
  ['too many users', { match: '{uid: 1000-9999}' }, 'uid'],
])('agent: %s', (_, lines, reason) => {
  const policy = placeOne(lines);
  expect(policy.placement).toBe('agent');
  expect(policy.why).toMatch(/^The agent decides: .*\.$/);
  expect(policy.why).toContain(reason);
  expect('kernelRule' in policy).toBe(false);
});

test('agent: what this very kernel cannot compare', () => {
  expect(placeOne({ detect: burst('session') }, { ...can, sessionId: false }).why).toContain('session');
  expect(placeOne({ action: '{block: session}' }, { ...can, sessionId: false }).why).toContain('session');
  const exe = { match: '{exe: [/bin/a, /bin/gone]}' };
  expect(placeOne(exe, { ...can, exe: (path) => path !== '/bin/gone' }).why).toContain("'/bin/gone'");
  expect(placeOne({ match: '{exe: {not: /bin/gone}}' }, { ...can, exe: () => false }).placement).toBe(
    'agent',
  );
});

test('nftables: a source is a remote address', () => {
  const policy = placeOne({
    on: 'auth.failure',
    detect: '{burst: {limit: 5, within: 60s, by: source}}',
    action: '{block: source}',
  });
  expect(policy.placement).toBe('nftables');
  expect(policy.why).toContain('nothing is denied');
});

test('a rule of the kernel says what the policy says', () => {
  const { kernelRule } = placeOne({
    on: '[send, connect]',
    mode: 'enforce',
    match:
      '{dst.port: [8000-8999, 22], dst.ip: {not: [127.0.0.0/8, "::1"]}, uid: {not: 0-2}, exe: /bin/nc, proto: tcp}',
    detect: burst('cgroup', 3),
    action: '{block: cgroup, for: 30s}',
  });
  expect(kernelRule).toMatchObject({
    on: { connect: true, send: true },
    action: 'deny',
    mode: 'enforce',
    by: 'cgroup',
    limit: 3,
    withinNs: 10e9,
    forNs: 30e9,
    ports: [
      { from: 22, to: 22 },
      { from: 8000, to: 8999 },
    ],
    nets: { not: true, cidrs: ['127.0.0.0/8', '::1/128'] },
    uids: { not: true, values: [0, 1, 2] },
    exes: { not: false, paths: ['/bin/nc'] },
    protos: ['tcp'],
  });
});

test('dimensions that are not tested are absent', () => {
  const { kernelRule } = placeOne({});
  expect(Object.keys(kernelRule ?? {})).not.toEqual(expect.arrayContaining(['ports']));
  expect(kernelRule).toEqual({
    policy: 'sample',
    hash: policyOf().hash,
    order: 0,
    on: { connect: true, send: false },
    action: 'deny',
    mode: undefined,
    deny: 'new',
    by: 'process',
    limit: 0,
    withinNs: 1e9,
    forNs: 600e9,
  });
});

test.each([
  ['unit', 'cgroup'],
  ['container', 'cgroup'],
  ['cgroup', 'cgroup'],
  ['session', 'session'],
  ['destination', 'destination'],
])('a rule that blocks a %s is kept by %s', (block, by) => {
  expect(placeOne({ action: `{block: ${block}}` }).kernelRule?.by).toBe(by);
});

test('the reason says when the kernel refuses more, or the agent widens', () => {
  expect(placeOne({ detect: burst('user') }).why).toContain('the whole user, not only the process');
  expect(placeOne({ detect: burst('process'), action: '{block: cgroup}' }).why).toContain(
    'widens the block to the cgroup',
  );
  expect(placeOne({ detect: burst('cgroup'), action: '{block: process}' }).why).toContain('the whole cgroup');
});

test('ports in the kernel are the ports of the match', () => {
  const port = fc.nat(65_535);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(port, fc.nat(3000)), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      port,
      (pairs, not, p) => {
        const list = `[${pairs.map(([from, size]) => `${from}-${Math.min(65_535, from + size)}`).join(', ')}]`;
        const policy = placeOne({ match: `{dst.port: ${not ? `{not: ${list}}` : list}}` });
        const ranges = policy.kernelRule?.ports ?? [];
        for (const probe of [
          p,
          ...pairs.flatMap(([from, size]) => [from, from - 1, from + size, from + size + 1]),
        ]) {
          const dstPort = Math.max(0, Math.min(65_535, probe));
          const inKernel = ranges.some(({ from, to }) => dstPort >= from && dstPort <= to);
          expect(inKernel).toBe(policy.matches(eventOf({ dstPort })));
        }
      },
    ),
    { numRuns: 200 },
  );
});

/** Policies by name: priority and the lines of each. */
const place = (set: Readonly<Record<string, Readonly<Record<string, string>>>>): Policy[] => {
  const text = Object.entries(set)
    .map(([name, lines]) => policyText(lines, name))
    .join('---\n');
  return placePolicies(parsePolicyText(text, 'f').policies, can);
};

const placements = (policies: readonly Policy[]): Record<string, string> =>
  Object.fromEntries(policies.map(({ name, placement }) => [name, placement]));

test('order is by priority, then name; rules are numbered in it', () => {
  const policies = place({ b: {}, a: {}, last: { priority: '1' }, first: { priority: '900' } });
  expect(policies.map(({ name }) => name)).toEqual(['first', 'a', 'b', 'last']);
  expect(policies.map(({ kernelRule }) => kernelRule?.order)).toEqual([0, 1, 2, 3]);
  expect(new Set(policies.map(({ kernelRule }) => kernelRule?.hash)).size).toBe(4);
});

test('the first sixteen go to the kernel, allow rules among them', () => {
  const set = Object.fromEntries(
    Array.from({ length: 18 }, (_, i) => [
      `p${String(i).padStart(2, '0')}`,
      {
        match: `{dst.port: ${i + 1}}`,
        action: i === 0 ? '{allow: true}' : '{block: process}',
      },
    ]),
  );
  const policies = place({ ...set, 'a-agent': { when: 'true' } });
  const inKernel = policies.filter(({ placement }) => placement === 'kernel').map(({ name }) => name);
  expect(inKernel).toEqual(Array.from({ length: 16 }, (_, i) => `p${String(i).padStart(2, '0')}`));
  expect(policies.at(-1)?.why).toContain('16 policies that come first');
});

test('an allow policy the kernel cannot test keeps what is below it in the agent', () => {
  const allow = { match: '{comm: backup}', action: '{allow: true}', priority: '600' };
  const policies = place({
    above: { priority: '700' },
    backup: allow,
    below: {},
    'other-kind': { on: 'send' },
  });
  expect(placements(policies)).toEqual({
    above: 'kernel',
    backup: 'agent',
    below: 'agent',
    'other-kind': 'kernel',
  });
  expect(policies.find(({ name }) => name === 'below')?.why).toContain("below allow policy 'backup'");
});

test('an allow policy the kernel can test keeps nothing back', () => {
  const allow = { match: '{uid: 33}', action: '{allow: true}', priority: '600' };
  const policies = place({ allowed: allow, below: {} });
  expect(placements(policies)).toEqual({ allowed: 'kernel', below: 'kernel' });
  expect(policies.map(({ kernelRule }) => kernelRule?.action)).toEqual(['allow', 'deny']);
});

test('an allow policy on other kinds keeps nothing back', () => {
  expect(placements(place({ a: { on: 'exec', action: '{allow: true}' }, b: {} }))).toEqual({
    a: 'agent',
    b: 'kernel',
  });
});

test('placing twice changes nothing', () => {
  const once = place({ a: {}, b: { when: 'true' }, c: { detect: burst('cgroup') } });
  const plain = (policies: readonly Policy[]) => policies.map(({ matches: _, ...rest }) => rest);
  expect(plain(placePolicies(once, can))).toEqual(plain(once));
});

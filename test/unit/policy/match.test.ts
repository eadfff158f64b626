/** What a match holds for: each kind of value, absence, and any spelling of an address. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EventView } from '../../../src/model/event.js';
import { eventOf } from './event.js';
import { policyOf } from './policies.js';

const holds = (match: string, changes: Partial<EventView> = {}): boolean =>
  policyOf({ match }).matches(eventOf(changes));

const auth = {
  service: 'sshd',
  user: 'root',
  rhost: '192.0.2.7',
  method: 'password',
  outcome: 'failure',
} as const;

test.each<[string, Partial<EventView>, boolean]>([
  ['{dst.port: 22}', {}, true],
  ['{dst.port: [80, 443]}', {}, false],
  ['{dst.port: [80, 20-25]}', {}, true],
  ['{dst.port: {not: 20-25}}', {}, false],
  ['{dst.port: {not: [80, 443]}}', {}, true],
  ['{dst.port: 0}', { dstPort: 0 }, true],
  ['{dst.ip: 10.0.0.0/8}', {}, true],
  ['{dst.ip: "::ffff:10.0.0.5"}', {}, true],
  ['{dst.ip: {not: [127.0.0.0/8, "::1"]}}', { dstIp: '127.9.9.9' }, false],
  ['{dst.ip: {not: [127.0.0.0/8, "::1"]}}', { dstIp: '::1' }, false],
  ['{dst.ip: 2001:db8::/32}', { dstIp: '2001:db8:1::9' }, true],
  ['{src.ip: 10.0.0.1, src.port: 40000}', {}, true],
  ['{exe: /usr/bin/bash}', {}, true],
  ['{exe: /usr/bin/*}', {}, true],
  ['{exe: /usr/*}', {}, false],
  ['{exe: /usr/**}', {}, true],
  ['{exe: {not: [/usr/bin/ping, /usr/bin/b*]}}', {}, false],
  ['{comm: ba*}', {}, true],
  ['{cmdline: "*-c x"}', {}, true],
  ['{uid: 1000-1999}', {}, true],
  ['{uid: {not: 0}}', { uid: 0 }, false],
  ['{user: alice}', {}, true],
  ['{pid: 4242, ppid: 1}', {}, true],
  ['{session: 3}', {}, true],
  ['{cgroup.path: /user.slice/**}', {}, true],
  ['{cgroup.id: "18446744073709551615"}', {}, true],
  ['{unit: "*.service"}', { unit: 'nginx.service' }, true],
  ['{container: abc*}', { container: 'abcdef' }, true],
  ['{proto: [tcp, udp]}', {}, true],
  ['{proto: {not: tcp}}', {}, false],
  ['{result: 0}', { result: 0 }, true],
  ['{result: [ECONNREFUSED, ETIMEDOUT]}', { result: 'ETIMEDOUT' }, true],
  ['{kind: connect}', {}, true],
  ['{verdict: none}', {}, true],
  ['{untrusted: true}', { untrusted: true }, true],
  ['{untrusted: true}', {}, false],
  ['{child: 7}', { child: 7 }, true],
  [
    '{auth.service: sshd, auth.user: [root, admin], auth.method: pass*, auth.outcome: failure}',
    { auth },
    true,
  ],
  ['{auth.rhost: 192.0.2.0/24}', { auth }, true],
  ['{auth.rhost: "*.example"}', { auth: { ...auth, rhost: 'a.example' } }, true],
  ['{auth.rhost: 192.0.2.0/24}', { auth: { ...auth, rhost: 'a.example' } }, false],
  ['{dst.port: 22, uid: 0}', {}, false],
])('%s with %j: %s', (match, changes, result) => {
  expect(holds(match, changes)).toBe(result);
});

test.each<[string, string, Partial<EventView>]>([
  ['dst.port', '22', { dstPort: undefined }],
  ['dst.ip', '10.0.0.0/8', { dstIp: undefined }],
  ['unit', 'a.service', {}],
  ['container', '"*"', {}],
  ['session', '3', { session: -1 }],
  ['exe', '/**', { exe: '' }],
  ['cmdline', '"*"', { cmdline: '' }],
  ['auth.user', '"*"', {}],
  ['result', '0', {}],
  ['child', '0-4294967295', {}],
])('%s absent: the positive test fails, its negation holds', (field, value, changes) => {
  expect(holds(`{${field}: ${value}}`, changes)).toBe(false);
  expect(holds(`{${field}: {not: ${value}}}`, changes)).toBe(true);
});

/** Excluding every port is refused, so there is nothing to compare. */
const coversAll = (pairs: readonly (readonly [number, number])[]): boolean => {
  let next = 0;
  const ranges = pairs.map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const).sort(([a], [b]) => a - b);
  for (const [from, to] of ranges) if (from <= next) next = Math.max(next, to + 1);
  return next > 65_535;
};

test('a value and its negation never agree', () => {
  const port = fc.nat(65_535);
  fc.assert(
    fc.property(fc.array(fc.tuple(port, port), { minLength: 1, maxLength: 4 }), port, (pairs, dstPort) => {
      fc.pre(!coversAll(pairs));
      const list = pairs.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).join(', ');
      const naive = pairs.some(([a, b]) => dstPort >= Math.min(a, b) && dstPort <= Math.max(a, b));
      expect(holds(`{dst.port: [${list}]}`, { dstPort })).toBe(naive);
      expect(holds(`{dst.port: {not: [${list}]}}`, { dstPort })).toBe(!naive);
    }),
    { numRuns: 200 },
  );
});

test('when is asked after match, and only then', () => {
  const policy = policyOf({ match: '{uid: 0}', when: 'event.dst.port == 22' });
  const asked: string[] = [];
  const event = (uid: number): EventView =>
    Object.defineProperty(eventOf({ uid }), 'dstPort', {
      get: () => {
        asked.push('dst.port');
        return 22;
      },
    });
  expect(policy.matches(event(1000))).toBe(false);
  expect(asked).toEqual([]);
  expect(policy.matches(event(0))).toBe(true);
  expect(asked).not.toEqual([]);
});

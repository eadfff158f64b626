/** The identity of a rule: kept by what does not matter, changed by what does. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePolicyText } from '../../../src/policy/index.js';
import { parseOne, policyOf, policyText } from './policies.js';

const base = {
  match: '{dst.port: [22, 80-90], dst.ip: {not: [127.0.0.0/8, "::1"]}, exe: /usr/bin/nc}',
  when: 'event.uid != 0',
  detect: '{burst: {limit: 5, within: 60s, by: process}}',
};
const hash = policyOf(base).hash;

test('is 16 hexadecimal digits', () => {
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
});

test('name, summary, severity, mode, priority, attack and then do not matter', () => {
  const name = fc.stringMatching(/^p[a-z0-9-]{0,20}$/);
  const free = fc.record(
    {
      summary: fc.string({ maxLength: 100 }).map((text) => JSON.stringify(text)),
      severity: fc.constantFrom('low', 'medium', 'high', 'critical'),
      mode: fc.constantFrom('audit', 'enforce'),
      priority: fc.nat(1000).map(String),
      attack: fc.constantFrom('[]', '[T1046]', '[T1110.001, T1021]'),
    },
    { requiredKeys: [] },
  );
  const actions = fc.constantFrom('{alert: true}', '{block: cgroup, for: 4h}', '{block: process, deny: new}');
  fc.assert(
    fc.property(name, free, actions, (name, lines, action) => {
      const text = policyText({ ...base, ...lines, action }, name);
      expect(parseOne(text).hash).toBe(hash);
    }),
    { numRuns: 200 },
  );
});

test.each([
  [
    {
      ...base,
      match: '{exe: [/usr/bin/nc], dst.ip: {not: ["::1/128", 127.0.0.0/8]}, dst.port: [80-90, "22"]}',
    },
  ],
  [
    {
      ...base,
      match: '{dst.port: [22, 80-85, 86-90, 88], dst.ip: {not: [127.0.0.0/8, 0:0::1]}, exe: /usr/bin/nc}',
    },
  ],
  [{ ...base, detect: '{burst: [{by: process, within: 1m, limit: 5}]}' }],
  [{ ...base, when: '"event.uid != 0 "' }],
  [{ ...base, on: '[connect, connect]' }],
])('spelling does not matter: %j', (lines) => {
  expect(policyOf(lines).hash).toBe(hash);
});

test.each([
  [{ ...base, on: '[connect, send]' }],
  [{ ...base, on: 'send' }],
  [{ ...base, match: '{dst.port: 22}' }],
  [{ ...base, match: base.match.replace('not', 'not').replace('80-90', '80-91') }],
  [{ ...base, match: '{dst.port: [22, 80-90], dst.ip: [127.0.0.0/8, "::1"], exe: /usr/bin/nc}' }],
  [{ ...base, when: 'event.uid != 1' }],
  [{ ...base, detect: base.detect.replace('5', '6') }],
  [{ ...base, detect: base.detect.replace('60s', '61s') }],
  [{ ...base, detect: base.detect.replace('process', 'cgroup') }],
  [{ ...base, detect: base.detect.replace('by:', 'distinct: dst, by:') }],
])('what is watched for matters: %j', (lines) => {
  expect(policyOf(lines).hash).not.toBe(hash);
});

test('a glob and the text it is made of are two things', () => {
  const star = policyOf({ match: '{comm: "a*"}' }).hash;
  expect(policyOf({ match: '{comm: "a\\\\*"}' }).hash).not.toBe(star);
});

test('policies that watch for the same thing keep apart, whatever their place in the file', () => {
  const one = policyText(base, 'aa');
  const two = policyText(base, 'bb');
  const three = policyText(base, 'cc');
  const hashes = (text: string) =>
    Object.fromEntries(parsePolicyText(text, 'f').policies.map(({ name, hash }) => [name, hash]));
  const forward = hashes([one, two, three].join('---\n'));
  expect(forward.aa).toBe(hash);
  expect(new Set(Object.values(forward)).size).toBe(3);
  expect(hashes([three, two, one].join('---\n'))).toEqual(forward);
});

/** The words of the tables. */
import { expect, test } from 'vitest';
import { describeDetect, describeThen } from '../../../src/policy/index.js';
import { policyOf } from './policies.js';

test.each([
  [{}, 'each match'],
  [{ detect: '{burst: {limit: 5, within: 10s, by: process}}' }, 'more than 5 in 10s by process'],
  [
    { detect: '{burst: [{limit: 5, within: 1m, by: cgroup, distinct: dst}, {limit: 9, within: 10m}]}' },
    'more than 5 distinct dst in 1m or 9 distinct dst in 10m by cgroup',
  ],
])('detect %j', (lines, text) => {
  expect(describeDetect(policyOf(lines))).toBe(text);
});

test.each([
  ['{block: process}', 'block process for 10m'],
  ['{block: cgroup, for: 90m, deny: new, sever: false}', 'block cgroup for 1h30m'],
  ['{block: cgroup, escalate: {factor: 2, max: 24h}}', 'block cgroup for 10m, ×2 up to 1d'],
  ['{alert: true}', 'alert'],
  ['{allow: true}', 'allow'],
])('then %s', (action, text) => {
  expect(describeThen(policyOf({ action }))).toBe(text);
});

test('a wider denial is named', () => {
  const { then } = policyOf({ action: '{block: cgroup, for: 90m}' });
  expect(describeThen({ then: { ...then, deny: 'all', sever: true } })).toBe(
    'block cgroup for 1h30m, deny all, sever',
  );
});

/** The `when` of a policy: natural numbers, absent fields, failures that are counted and stay false. */
import { expect, test } from 'vitest';
import type { EventView } from '../../../src/model/event.js';
import { compileWhen } from '../../../src/policy/cel.js';
import { whenFailures } from '../../../src/policy/index.js';
import { eventOf } from './event.js';

const holds = (expression: string, changes: Partial<EventView> = {}): boolean => {
  const test = compileWhen(expression);
  if (typeof test !== 'function') throw new Error(test.message);
  return test(eventOf(changes));
};

test.each<[string, Partial<EventView>, boolean]>([
  ['event.uid != 0', {}, true],
  ['event.uid != 0', { uid: 0 }, false],
  ['event.dst.port in [22, 23]', {}, true],
  ['event.dst.port > 1024 || event.src.port > 1024', {}, true],
  ['event.comm.startsWith("ba") && event.exe.endsWith("/bash")', {}, true],
  ['event.exe.glob("/usr/*/bash")', {}, true],
  ['event.cgroup.path.contains("user-1000")', {}, true],
  ['event.cgroup.id == "18446744073709551615"', {}, true],
  ['event.kind == "connect" && event.proto == "tcp" && event.verdict == "none"', {}, true],
  ['has(event.unit)', {}, false],
  ['has(event.unit) && event.unit == "a.service"', { unit: 'a.service' }, true],
  ['has(event.auth) && event.auth.outcome == "failure"', {}, false],
  ['event.session == 3', {}, true],
  ['has(event.session)', { session: -1 }, false],
  ['event.result == 0', { result: 0 }, true],
  ['event.result == "ECONNREFUSED"', { result: 'ECONNREFUSED' }, true],
  ['!event.untrusted', {}, true],
  ['event.cmdline.split(" ").exists(word, word == "-c")', {}, true],
])('%s with %j: %s', (expression, changes, result) => {
  const before = whenFailures();
  expect(holds(expression, changes)).toBe(result);
  expect(whenFailures()).toBe(before);
});

test.each<[string, Partial<EventView>]>([
  ['event.unit == "a.service"', {}],
  ['event.unit != "a.service"', {}],
  ['event.dst.port == 22', { dstIp: undefined, dstPort: undefined }],
  ['1 / (event.uid - 1000) == 1', {}],
  ['event.result', { result: 'EPERM' }],
])('%s fails at run time: false, and counted if it could not be evaluated', (expression, changes) => {
  const before = whenFailures();
  expect(holds(expression, changes)).toBe(false);
  expect(whenFailures()).toBe(before + (expression === 'event.result' ? 0 : 1));
});

test.each([
  ['event.uid ==', 'Unexpected token: EOF'],
  ['event.uid', 'the expression is of type int, not bool'],
  ['event.uid == "root"', 'no such overload: int == string'],
  ['x'.repeat(10), `there is no 'xxxxxxxxxx' here`],
  [Array.from({ length: 400 }, () => 'event.uid == 1').join(' || '), /limit|exceed|depth|nodes/i],
  [`${'('.repeat(60)}true${')'.repeat(60)}`, /limit|exceed|depth|nodes/i],
  ['event.comm.matches("(a+)+$")', /matches\(\) is not available/],
  ['true || (false || event.comm.matches(event.comm))', /matches\(\) is not available/],
  ['[1].all(a, [1].all(b, a == b))', 'a loop within a loop is not available'],
])('refuses %s', (expression, message) => {
  const result = compileWhen(expression);
  if (typeof result === 'function') throw new Error('it was accepted');
  expect(result.message).toMatch(message);
});

test('two loops side by side are fine', () => {
  expect(holds('[1].all(a, a == 1) && [2].exists(b, b == 2)')).toBe(true);
});

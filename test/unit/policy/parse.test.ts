/** What a policy text becomes: defaults, positions, and never an exception. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { EVENT_KINDS } from '../../../src/model/event.js';
import { formatProblem, parsePolicyText } from '../../../src/policy/index.js';
import { parseOne, policyOf, policyText, problemsOf } from './policies.js';

// Thousands of cases on a busy machine take their time.
vi.setConfig({ testTimeout: 60_000 });

test('reads the example of the language', () => {
  const policy = parseOne(`kerngate: 1
policy: connect-burst
summary: A process opens more than five connections within ten seconds.
attack: [T1046, T1110.001]
severity: high
mode: audit
priority: 700
on: connect
match:
  dst.port: [22, 3306, 8000-8999]
  dst.ip: {not: [127.0.0.0/8, "::1"]}
  exe: {not: /usr/bin/ping}
when: event.uid != 0
detect:
  burst: {limit: 5, within: 10s, by: process}
then:
  block: process
  for: 30m
  deny: new
  sever: false
  escalate: {factor: 2, max: 24h}
`);
  expect(policy).toMatchObject({
    name: 'connect-burst',
    line: 2,
    attack: ['T1046', 'T1110.001'],
    severity: 'high',
    mode: 'audit',
    priority: 700,
    on: ['connect'],
    detect: { type: 'burst', tiers: [{ limit: 5, withinNs: 10e9 }], by: 'process' },
  });
  const { then: consequence } = policy;
  expect(consequence).toEqual({
    block: 'process',
    forNs: 1_800e9,
    deny: 'new',
    sever: false,
    alert: false,
    allow: false,
    escalate: { factor: 2, maxNs: 86_400e9 },
  });
});

test('fills in the defaults', () => {
  const policy = policyOf();
  expect(policy).toMatchObject({
    attack: [],
    severity: 'medium',
    mode: undefined,
    priority: 500,
    detect: { type: 'rule' },
    summary: 'connect: each match',
  });
  expect(policy.then).toEqual({
    block: 'process',
    forNs: 600e9,
    deny: 'new',
    sever: false,
    alert: false,
    allow: false,
  });
});

test.each(EVENT_KINDS)('accepts on: %s, whether or not this version produces it', (kind) => {
  expect(policyOf({ on: kind, action: '{alert: true}' }).on).toEqual([kind]);
});

test('limit 0 is a limit, a list of tiers shares the key of the first', () => {
  expect(policyOf({ detect: '{burst: {limit: 0, within: 1s, by: user}}' }).detect).toEqual({
    type: 'burst',
    tiers: [{ limit: 0, withinNs: 1e9 }],
    by: 'user',
  });
  const tiers = '{burst: [{limit: 5, within: 60s, by: source, distinct: user}, {limit: 10, within: 10m}]}';
  expect(policyOf({ on: 'auth.failure', detect: tiers, action: '{block: source}' }).detect).toEqual({
    type: 'burst',
    tiers: [
      { limit: 5, withinNs: 60e9 },
      { limit: 10, withinNs: 600e9 },
    ],
    by: 'source',
    distinct: 'user',
  });
});

test('reads several documents, skips empty ones, and keeps the good beside the bad', () => {
  const text = `# a file\n---\n${policyText({}, 'one')}---\n# nothing\n---\n${policyText({ on: 'conect' }, 'two')}---\n${policyText({}, 'three')}`;
  const { policies, problems } = parsePolicyText(text, 'f.yaml');
  expect(policies.map(({ name }) => name)).toEqual(['one', 'three']);
  expect(problems).toHaveLength(1);
});

test('anchors may be reused', () => {
  const { policies, problems } = parsePolicyText(
    `${policyText({ match: '{dst.port: &ports [22, 23]}' })}---\n${policyText({}, 'other')}`,
    'f.yaml',
  );
  expect(problems).toEqual([]);
  expect(policies).toHaveLength(2);
  const twice = policyOf({ match: '{dst.port: &ports [22, 23], src.port: *ports}' });
  expect(twice.hash).toBe(policyOf({ match: '{dst.port: [22, 23], src.port: [22, 23]}' }).hash);
});

test('CRLF and a byte order mark change nothing', () => {
  const text = policyText({ match: '{dst.port: 22}' });
  expect(parseOne(`\ufeff${text.replaceAll('\n', '\r\n')}`).hash).toBe(parseOne(text).hash);
});

test('a problem is one line without control bytes', () => {
  const [line] = problemsOf(policyText({ '"a\\e[31m\\nb"': '1' }));
  expect(line).toBe("f.yaml:4:1: unknown key 'a?[31m?b'");
  expect(formatProblem({ file: 'a\nb', line: 1, column: 2, message: 'm', hint: 'h' })).toBe('a?b:1:2: m (h)');
});

test('problems come in the order of the file', () => {
  const { problems } = parsePolicyText(
    policyText({ severity: 'x', mode: 'y', priority: '-1', on: 'z' }),
    'f',
  );
  const at = problems.map(({ line }) => line);
  expect(at).toEqual([...at].sort((a, b) => a - b));
  expect(at).toHaveLength(4);
});

/** Gives problems or policies, and every problem points into the text. */
const isSane = (text: string): void => {
  const { policies, problems } = parsePolicyText(text, 'f.yaml');
  expect(policies.length + problems.length).toBeGreaterThan(0);
  const lines = text.split(/\r\n|\r|\n/).length;
  for (const { line, column, message } of problems) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines + 1);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(message).not.toMatch(/\n/);
  }
};

test('arbitrary text never throws', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), isSane), { numRuns: 500 });
});

test('text of YAML characters never throws', () => {
  const unit = fc.constantFrom(...'ab1 \n\n  -:?,[]{}#&*!|>\'"%@`~<=.\\\t');
  fc.assert(fc.property(fc.string({ unit, maxLength: 80 }), isSane), { numRuns: 1500 });
});

test('arbitrary data under the keys of a policy never throws', () => {
  const keys = [
    'kerngate',
    'policy',
    'on',
    'match',
    'when',
    'detect',
    'burst',
    'then',
    'block',
    'limit',
    '__proto__',
  ];
  const leaf = fc.oneof(
    fc.constantFrom<unknown>(1, 5, -1, null, true, 'connect', 'process', '10s', 'a'),
    fc.string(),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keys), tree, { maxKeys: 8 }), (data) => {
      isSane(JSON.stringify({ kerngate: 1, policy: 'a', on: 'connect', ...data }));
    }),
    { numRuns: 1000 },
  );
});

test('a good policy with one character changed never throws', () => {
  const good = policyText({
    match: '{dst.port: [22, 8000-8999], dst.ip: {not: "::1"}}',
    when: 'event.uid != 0',
    detect: '{burst: {limit: 5, within: 10s, by: process}}',
  });
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.string({ unit: 'binary-ascii', maxLength: 2 }), (at, piece) => {
      isSane(good.slice(0, at) + piece + good.slice(at + 1));
    }),
    { numRuns: 1000 },
  );
});

// Each of these once ended the process, or kept it busy for minutes, inside a YAML library.
test.each([
  ['open lists', '['.repeat(200_000)],
  ['nested items', '- '.repeat(100_000)],
  ['nested keys', 'a: '.repeat(80_000)],
  ['complex keys', '? '.repeat(100_000)],
  ['many keys', Array.from({ length: 30_000 }, (_, i) => `k${i}: 1\n`).join('')],
  ['many documents', '---\n'.repeat(60_000)],
  ['too long', `a: ${'x'.repeat(300_000)}`],
])('hostile nesting is refused: %s', (_, text) => {
  expect(parsePolicyText(text, 'f.yaml').problems).toHaveLength(1);
});

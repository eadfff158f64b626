/** Golden cases: each errors/NAME.yaml gives exactly the lines of errors/NAME.txt. Add a pair to add a case. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatProblem, parsePolicyText } from '../../../src/policy/index.js';

const folder = new URL('errors/', import.meta.url);
const cases = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

test('there are cases', () => {
  expect(cases.length).toBeGreaterThan(20);
});

test.each(cases)('%s', (name) => {
  const expected = new URL(name.replace(/\.yaml$/, '.txt'), folder);
  const { problems } = parsePolicyText(readFileSync(new URL(name, folder), 'utf8'), name);
  const found = problems.map((problem) => `${formatProblem(problem)}\n`).join('');
  expect(existsSync(expected), `write ${expected.pathname} with:\n${found}`).toBe(true);
  expect(found).toBe(readFileSync(expected, 'utf8'));
});

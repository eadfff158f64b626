/** The reference names every word of the language, and its examples are valid. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_KINDS } from '../../../src/model/event.js';
import { BLOCKABLE, SUBJECT_KINDS } from '../../../src/model/subject.js';
import { FIELDS } from '../../../src/policy/fields.js';
import { formatProblem, parsePolicyText, policySchema } from '../../../src/policy/index.js';
import { UNAVAILABLE_DETECTORS } from '../../../src/policy/schema.js';

const reference = readFileSync(new URL('../../../docs/policy-reference.md', import.meta.url), 'utf8');

/** All names of properties in the schema, however deep. */
const keysOf = (schema: unknown): string[] => {
  if (typeof schema !== 'object' || schema === null) return [];
  const properties = 'properties' in schema ? Object.keys(schema.properties as object) : [];
  return [...properties, ...Object.values(schema).flatMap(keysOf)];
};

const words = new Set([
  ...Object.keys(FIELDS),
  ...EVENT_KINDS,
  ...SUBJECT_KINDS,
  ...BLOCKABLE,
  ...UNAVAILABLE_DETECTORS,
  ...keysOf(policySchema()),
  ...['dst', 'new', 'all', 'isolate', 'low', 'medium', 'high', 'critical', 'audit', 'enforce'],
]);

test.each([...words])('`%s` is in the reference', (word) => {
  expect(reference).toContain(`\`${word}\``);
});

const examples = [...reference.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => text);

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(3);
});

test.each(examples)('example %#', (text) => {
  expect(parsePolicyText(text, 'example').problems.map(formatProblem)).toEqual([]);
});

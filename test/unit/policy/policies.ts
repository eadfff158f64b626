/** Short ways to write policies in tests. */
import { expect } from 'vitest';
import type { Policy } from '../../../src/model/policy.js';
import { formatProblem, parsePolicyText } from '../../../src/policy/index.js';

/**
 * A policy with these lines in place of (or beside) `on: connect` and the action
 * `{block: process}`; `action` is written as `then`, which objects should not be called by.
 */
export const policyText = (lines: Readonly<Record<string, string>> = {}, name = 'sample'): string => {
  const keys = { on: 'connect', ...lines, action: lines.action ?? '{block: process}' };
  const body = Object.entries(keys).map(([key, value]) => `${key === 'action' ? 'then' : key}: ${value}\n`);
  return `kerngate: 1\npolicy: ${name}\n${body.join('')}`;
};

/** The one policy of the text; fails the test when there is a problem. */
export const parseOne = (text: string): Policy => {
  const { policies, problems } = parsePolicyText(text, 'sample.yaml');
  expect(problems.map(formatProblem)).toEqual([]);
  const [policy] = policies;
  if (!policy || policies.length !== 1) throw new Error(`expected one policy, found ${policies.length}`);
  return policy;
};

export const policyOf = (lines: Readonly<Record<string, string>> = {}, name = 'sample'): Policy =>
  parseOne(policyText(lines, name));

/** The problems of a text, as a person reads them. */
export const problemsOf = (text: string): string[] =>
  parsePolicyText(text, 'f.yaml').problems.map(formatProblem);

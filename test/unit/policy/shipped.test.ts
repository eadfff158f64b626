/** The policies and templates that are shipped, and the schema editors read beside them. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatProblem, loadPolicies, placePolicies, policySchema } from '../../../src/policy/index.js';

const root = new URL('../../../policies/', import.meta.url);

const load = (folder: string) => {
  const { policies, problems } = loadPolicies([new URL(folder, root).pathname], { checkOwner: 'none' });
  expect(problems.map(formatProblem)).toEqual([]);
  return placePolicies(policies, { sessionId: true, exe: () => true });
};

test('the seed rule: more than five connects in ten seconds by process, in audit', () => {
  const [seed, ...others] = load('.');
  expect(others).toEqual([]);
  expect(seed).toMatchObject({
    name: 'connect-burst',
    attack: ['T1046'],
    mode: 'audit',
    placement: 'kernel',
    kernelRule: { on: { connect: true, send: false }, by: 'process', limit: 5, withinNs: 10e9, forNs: 600e9 },
  });
  for (const dimension of ['ports', 'nets', 'uids', 'exes', 'protos']) {
    expect(seed?.kernelRule).not.toHaveProperty(dimension);
  }
});

test('the templates are valid, start in audit, and are enforced in the kernel', () => {
  const templates = load('templates/');
  expect(templates.map(({ name }) => name)).toEqual(['admin-port-burst', 'deny-destination']);
  expect(templates.map(({ mode, placement }) => [mode, placement])).toEqual([
    ['audit', 'kernel'],
    ['audit', 'kernel'],
  ]);
  for (const { summary } of templates) expect(summary).not.toBe('');
});

test.each([
  ['.', 'policy.schema.json'],
  ['templates/', '../policy.schema.json'],
])('each file of %s points editors at the schema', (folder, schema) => {
  const names = readdirSync(new URL(folder, root)).filter((name) => name.endsWith('.yaml'));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const [first] = readFileSync(new URL(`${folder}/${name}`.replace('//', '/'), root), 'utf8').split(
      '\n',
      1,
    );
    expect(first).toBe(`# yaml-language-server: $schema=${schema}`);
  }
});

test('policies/policy.schema.json is what `kerngate policy schema` prints', () => {
  const written = JSON.parse(readFileSync(new URL('policy.schema.json', root), 'utf8'));
  expect(written).toEqual(JSON.parse(JSON.stringify(policySchema())));
  expect(written.$schema).toBe('https://json-schema.org/draft/2020-12/schema');
});

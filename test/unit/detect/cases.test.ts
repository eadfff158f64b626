/** Runs every detector's golden cases: a policy and events go in, findings come out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DETECTORS } from '../../../src/detect/registry.js';
import { type CapturedEvent, JsonEvent } from '../../../src/model/json-event.js';
import { parsePolicyText } from '../../../src/policy/index.js';
import { engineOf } from './support.js';

const ROOT = 'src/detect';
const FILES = ['policy.yaml', 'events.jsonl', 'findings.json'] as const;

interface Found {
  readonly policy: string;
  readonly subject: { readonly kind: string; readonly id: string };
  /** Nanoseconds since boot of the event that crossed, decimal. */
  readonly at: string;
}

const foldersIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();

const read = (folder: string, file: (typeof FILES)[number]): string =>
  readFileSync(join(folder, file), 'utf8');

const run = (folder: string): Found[] => {
  const { policies, problems } = parsePolicyText(read(folder, 'policy.yaml'), join(folder, 'policy.yaml'));
  expect(problems).toEqual([]);
  const engine = engineOf(policies);
  const found: Found[] = [];
  for (const line of read(folder, 'events.jsonl').split('\n')) {
    if (line === '') continue;
    const event = new JsonEvent(JSON.parse(line) as CapturedEvent);
    engine.step(event, ({ policy, subject: { kind, id } }) => {
      found.push({ policy: policy.name, subject: { kind, id }, at: event.snapshot().boot_ns });
    });
  }
  return found;
};

describe.each(Object.keys(DETECTORS))('detector %s', (type) => {
  const cases = foldersIn(join(ROOT, type, 'cases'));

  it('has cases, one of them without findings', () => {
    const findings = cases.map((name) => JSON.parse(read(join(ROOT, type, 'cases', name), 'findings.json')));
    expect(findings.some((list) => list.length > 0)).toBe(true);
    expect(findings.some((list) => list.length === 0)).toBe(true);
  });

  it.each(cases)('%s', (name) => {
    const folder = join(ROOT, type, 'cases', name);
    expect(run(folder)).toEqual(JSON.parse(read(folder, 'findings.json')));
  });
});

it('every folder of cases belongs to a detector in the table', () => {
  const withCases = foldersIn(ROOT).filter((name) => foldersIn(join(ROOT, name)).includes('cases'));
  expect(withCases).toEqual(Object.keys(DETECTORS));
});

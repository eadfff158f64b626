/** The circuit breaker in a replay: the production one, on the capture's own time. */
import { expect, it } from 'vitest';
import { Captured } from '../../../src/capture/captured.js';
import type { Mode } from '../../../src/model/decision.js';
import { parsePolicyText, placePolicies } from '../../../src/policy/index.js';
import { Run } from '../../../src/replay/run.js';
import { eventAt, HEADER } from '../capture/lines.js';

const POLICY = `kerngate: 1
policy: any
summary: Any connection.
on: connect
then: {block: process}
`;

/** Seventy processes, one connect each. */
const replay = (mode: Mode, gapS: number) => {
  const { policies } = parsePolicyText(POLICY, 'any.yaml');
  const placed = placePolicies(policies, { sessionId: true, exe: () => true });
  const run = new Run({ policies: placed, mode, header: HEADER });
  const captured = new Captured();
  const verdicts = Array.from({ length: 70 }, (_, n) => {
    captured.parsed(eventAt(n * gapS, { pid: 100 + n }));
    const lines = run.feed(captured);
    return { mode: run.refusal?.entry.mode, lines };
  });
  return { verdicts: verdicts.map((row) => row.mode), ...run.finish() };
};

it('trips at the 61st block of a minute, which is refused; what follows is audit', () => {
  const { counts, lines } = replay('enforce', 0.1);
  expect(counts).toMatchObject({ decisions: 70, denied: 61, audited: 9 });
  expect(counts.tripped).toMatchObject({ mode: 'enforce', reason: expect.stringMatching(/more than 60/) });
  expect(lines.every((line) => line.type === 'decision' && line.mode === 'audit')).toBe(true);
  expect(replay('enforce', 0.1)).toEqual(replay('enforce', 0.1));
});

it('does not trip on the same blocks in a longer time', () => {
  const { counts } = replay('enforce', 1);
  expect(counts).toMatchObject({ denied: 70, audited: 0 });
  expect(counts.tripped).toBeUndefined();
});

it('says in audit that it would', () => {
  const { counts } = replay('audit', 0.1);
  expect(counts).toMatchObject({ denied: 0, audited: 70, tripped: { mode: 'audit' } });
});

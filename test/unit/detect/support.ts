/** What the detect tests share: policies from text, events in the contract's shape, crossings as data. */
import { createEngine, type Engine, type EngineOptions } from '../../../src/detect/engine.js';
import type { Crossing } from '../../../src/model/crossing.js';
import { type CapturedEvent, JsonEvent } from '../../../src/model/json-event.js';
import type { Policy } from '../../../src/model/policy.js';
import { subjectKey } from '../../../src/model/subject.js';
import { parsePolicyText } from '../../../src/policy/index.js';

export const SECOND = 1e9;

/** The policies of a text; a problem in it fails the test. */
export const policiesOf = (text: string): Policy[] => {
  const { policies, problems } = parsePolicyText(text, 'test.yaml');
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.message).join('\n'));
  return policies;
};

/** A policy on `connect`, given as the YAML lines that follow its name. */
export const policyOf = (body: string, name = 'test'): Policy => {
  const on = body.includes('on:') ? '' : 'on: connect\n';
  const [policy] = policiesOf(`kerngate: 1\npolicy: ${name}\n${on}${body}\n`);
  if (policy === undefined) throw new Error('no policy');
  return policy;
};

/** A TCP connect of pid 100 to 192.0.2.1:22 at `seconds` after boot, but for what is given. */
export const eventAt = (seconds: number, given: Partial<CapturedEvent> = {}): JsonEvent =>
  new JsonEvent({
    v: 1,
    at: '2026-01-01T00:00:00.000Z',
    boot_ns: String(seconds * SECOND),
    kind: 'connect',
    pid: 100,
    start: '50000000000',
    ppid: 1,
    session: 3,
    uid: 1000,
    comm: 'probe',
    exe: '/usr/bin/probe',
    cgroup: { id: '77', path: '/test' },
    proto: 'tcp',
    dst: { ip: '192.0.2.1', port: 22 },
    verdict: 'none',
    lost: 0,
    ...given,
  });

export const authOf = (user: string, rhost: string): Partial<CapturedEvent> => ({
  kind: 'auth.failure',
  auth: { service: 'sshd', user, rhost, method: 'password' },
});

/** An engine with a fixed seed that counts every policy itself. */
export const engineOf = (policies: readonly Policy[], options: EngineOptions = {}): Engine =>
  createEngine(policies, { seed: [1, 2], pushdown: false, ...options });

/** The crossings of one event. */
export const step = (engine: Engine, event: JsonEvent): Crossing[] => {
  const crossings: Crossing[] = [];
  engine.step(event, (crossing) => crossings.push(crossing));
  return crossings;
};

/** Indices of the events that crossed, each as often as it did. */
export const crossedBy = (engine: Engine, events: readonly JsonEvent[]): number[] =>
  events.flatMap((event, i) => step(engine, event).map(() => i));

/** `policy subject` of each crossing. */
export const named = (crossings: readonly Crossing[]): string[] =>
  crossings.map(({ policy, subject }) => `${policy.name} ${subjectKey(subject)}`);

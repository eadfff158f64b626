/** A decision and a finding to report on. */
import type { Clock } from '../../../src/lib/clock.js';
import type { Decision } from '../../../src/model/decision.js';
import type { Finding } from '../../../src/model/finding.js';

export const decision = (over: Partial<Decision> = {}): Decision => ({
  id: '00000000000000ab',
  at: '2026-01-02T03:04:05.678Z',
  subject: { kind: 'process', id: '4242@99', name: 'hydra (pid 4242)' },
  action: 'deny',
  mode: 'enforce',
  enforced_by: 'kernel',
  level: 'cgroup',
  policy: 'connect-burst',
  reason: '6 connects in 10 s',
  by: 'policy',
  until: '2026-01-02T03:14:05.678Z',
  hits: 3,
  deny: 'new',
  ...over,
});

export const finding = (over: Partial<Finding> = {}): Finding => ({
  id: '00000000000000cd',
  at: '2026-01-02T03:04:05.678Z',
  policy: 'connect-burst',
  severity: 'medium',
  attack: ['T1046'],
  subject: { kind: 'process', id: '4242@99', name: 'hydra (pid 4242)' },
  summary: '6 connects in 10 s',
  evidence: [],
  lost: 0,
  ...over,
});

/** Boot at the epoch; it is always ten seconds later. */
export const clock: Clock = {
  bootNs: () => 10e9,
  wall: (bootNs) => new Date(bootNs / 1e6).toISOString(),
};

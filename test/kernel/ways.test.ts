/** Every way to the network, tried for real at the level under test: none is open that is promised to be shut. */
import { describe, expect, it } from 'vitest';
import type { DenyScope } from '../../src/model/decision.js';
import { isHeld } from './at-level.js';
import { type Selftest, SHORT, selftestOf, waysThat } from './selftest.js';
import { withStand } from './stand.js';

/** What a kernel cannot run, as it was built and started by the lane. */
const WITHOUT: Readonly<Record<string, readonly string[]>> = {
  '5.10': ['mptcp', 'mptcp-tfo', 'tcp-x32', 'uring-socket'],
  '6.1': ['mptcp-tfo', 'tcp-x32'],
  '6.12': ['tcp-x32'],
  '7.2': ['tcp-x32'],
};

const expectNoneOpen = (report: Selftest): void => {
  expect(waysThat(report, (way) => way.result === 'escaped' && way.promised)).toEqual([]);
  expect(report.hurt).toEqual([]);
  expect(report.counts.broken).toBe(0);
};

/** A guest has each family as a module; another host need not, and then says what is missing. */
const expectKnownGaps = (report: Selftest): void => {
  const missing = report.ways.filter(({ result }) => result === 'not on this kernel');
  const series = process.env.KERNGATE_VM;
  if (series !== undefined) expect(missing.map(({ way }) => way).sort()).toEqual(WITHOUT[series]);
  for (const { needs, reason } of missing)
    expect([needs, reason]).toEqual([expect.stringMatching(/./), reason]);
};

const SCOPES: readonly (readonly [DenyScope, boolean])[] = [
  ['isolate', true],
  ['all', false],
  ['new', false],
  ['new', true],
];

describe('no way is open that is promised to be shut', () => {
  it.each(SCOPES)('to a subject under --deny %s, severed: %s', (deny, sever) =>
    withStand(async (stand) => {
      const report = await selftestOf(stand, deny, sever);
      expect(report.ways).toHaveLength(91);
      expectKnownGaps(report);
      expectNoneOpen(report);
    }),
  );

  it('at any level, of one way of each family', async () => {
    for (const level of ['lsm', 'fmod_ret', 'cgroup'] as const) {
      if (!(await isHeld(level))) continue;
      await withStand(async (stand) => {
        const report = await selftestOf(stand, 'isolate', true, SHORT, level);
        expect(report.level).toBe(level);
        expectNoneOpen(report);
      });
    }
  });
});

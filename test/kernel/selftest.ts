/** Runs `kerngate selftest` on a stand and reads its report. */
import { expect } from 'vitest';
import type { DenyScope, Level } from '../../src/model/decision.js';
import { loadFamilies } from './at-level.js';
import type { Stand } from './stand.js';

export interface SelftestWay {
  readonly way: string;
  readonly family: string;
  readonly needs: string;
  readonly result: 'denied' | 'escaped' | 'not on this kernel';
  readonly errno?: string;
  readonly reason?: string;
  readonly promised: boolean;
}

export interface Selftest {
  readonly level: Level;
  readonly deny: DenyScope;
  readonly sever: boolean;
  readonly ways: readonly SelftestWay[];
  readonly counts: Readonly<Record<string, number>>;
  readonly hurt: readonly string[];
  readonly degraded: readonly string[];
}

/** One way of each family: what can be afforded everywhere. */
export const SHORT: readonly string[] = [
  'tfo-sendto',
  'tcp-int80',
  'udp4-sendto',
  'uring-pre-sqpoll',
  'raw-preopen',
  'packet-preopen',
  'sctp-connectx',
  'vsock',
  'helper-pre',
  'est-splice',
  'scm-connected',
  'preforked',
  'clone-into-cgroup',
  'accept-pre',
  'tun-write',
];

/** Fails when it says nothing, or when its exit code does not fit what it says. */
export const selftestOf = async (
  stand: Stand,
  deny: DenyScope,
  sever: boolean,
  ways: readonly string[] = [],
  level = process.env.KERNGATE_TEST_LEVEL || 'auto',
): Promise<Selftest> => {
  loadFamilies();
  const words = ['--level', level, '--deny', deny, ...(sever ? [] : ['--no-sever']), ...ways];
  const { code, stdout, stderr } = await stand.cli('-o', 'json', 'selftest', ...words);
  if (stdout === '') throw new Error(`the self-test ended with ${code}: ${stderr}`);
  const report = JSON.parse(stdout) as Selftest;
  expect(report).toMatchObject({ deny, sever, degraded: [] });
  expect(code).toBe(report.counts.broken === 0 && report.hurt.length === 0 ? 0 : 6);
  return report;
};

export const waysThat = (report: Selftest, test: (way: SelftestWay) => boolean): string[] =>
  report.ways.filter(test).map(({ way, errno }) => (errno === undefined ? way : `${way} (${errno})`));

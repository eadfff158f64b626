/** The main claims in the life of one agent: what `npm test` shows on each kernel, few starts being what it can afford. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { callAgent } from '../../src/control/client.js';
import type { Decision } from '../../src/model/decision.js';
import { sharedStand } from './acting.js';
import { blockedStepper, expectStep, killAgent } from './life.js';
import { Player } from './player.js';
import { SHORT, selftestOf, waysThat } from './selftest.js';
import { burst, type Running, type Stand, until } from './stand.js';

const to = (port: number): string => `match:\n  dst.port: ${port}\n`;
/** A port for each rule, so that one stand serves all tests. */
const POLICY = [
  burst({ name: 'process', within: '10m', extra: to(1) }),
  burst({ name: 'lineage', within: '10m', extra: to(2), by: 'lineage' }),
  `${burst({ name: 'watched', within: '10m', extra: to(3) })}mode: audit\n`,
].join('---\n');

const stand = sharedStand({
  mode: 'enforce',
  policy: POLICY,
  // What this test starts begins a lineage each, as what sshd starts does.
  config: `launchers: [${process.execPath}]\n`,
});

const blocks = (of: Stand): Promise<Decision[]> => callAgent<Decision[]>(of.socket, 'GET', '/v1/decisions');
const status = (of: Stand): Promise<Status> => callAgent<Status>(of.socket, 'GET', '/v1/status');

describe('with limit 5', () => {
  it('five of ten thousand connects pass', async () => {
    expect(await stand().attack('loop', 10_000)).toEqual({ passed: 5, denied: 9_995, other: 0 });
  });

  it('five of eight threads together', async () => {
    expect(await stand().attack('threads', 250, 8)).toEqual({ passed: 5, denied: 1_995, other: 0 });
  });

  it('five connects of UDP sockets', async () => {
    expect(await stand().attack('udp', 20)).toEqual({ passed: 5, denied: 15, other: 0 });
  });

  it('five of a hundred children, one after the other and at once, by lineage', async () => {
    for (const mode of ['forks', 'burst'])
      expect(await stand().attack(mode, 100, 1, '127.0.0.1', 2)).toEqual({ passed: 5, denied: 95, other: 0 });
  });

  it('all pass in audit, and the rest is counted', async () => {
    // A process that goes on living, so that its decision does too.
    const player = await Player.start(stand());
    expect(await player.row(50, 'connect 127.0.0.1 3')).toBe('+'.repeat(50));
    await until('the audit block has its hits', async () =>
      (await blocks(stand())).some(
        ({ policy, mode, hits }) => policy === 'watched' && mode === 'audit' && hits === 45,
      ),
    );
  });
});

it('the level is one that was proven', async () => {
  const { level, degraded } = await status(stand());
  expect(degraded).toEqual([]);
  const forced = process.env.KERNGATE_TEST_LEVEL ?? 'auto';
  if (forced !== 'auto') expect(level).toBe(forced);
  const list = '/sys/kernel/security/lsm';
  const modules = existsSync(list) ? readFileSync(list, 'utf8').trim().split(',') : [];
  // An LSM program attaches without a word there, and never runs.
  if (!modules.includes('bpf')) expect(level).not.toBe('lsm');
  // Debian's kernels have all levels.
  if (process.env.KERNGATE_VM && forced === 'auto')
    expect(level).toBe(modules.includes('bpf') ? 'lsm' : 'fmod_ret');
});

it('an isolated process reaches nobody by a way that is promised to be shut', async () => {
  const report = await selftestOf(stand(), 'isolate', true, SHORT);
  expect(waysThat(report, ({ result, promised }) => result === 'escaped' && promised)).toEqual([]);
  expect(report.hurt).toEqual([]);
  expect(report.counts.denied).toBeGreaterThan(SHORT.length / 2);
});

describe('with the agent killed', () => {
  let attacker: Running;

  it('blocks hold, and new ones are made', async () => {
    attacker = await blockedStepper(stand());
    await killAgent(stand());
    await expectStep(attacker, 'denied');
    expect(await stand().attack('loop', 100)).toEqual({ passed: 5, denied: 95, other: 0 });
  });

  it('unblock opens at once', async () => {
    expect((await stand().cli('unblock', '--pid', String(attacker.pid))).code).toBe(0);
    for (let attempt = 0; attempt < 5; attempt++) await expectStep(attacker, 'passed');
    await expectStep(attacker, 'denied');
  });

  it('the next agent takes over what is there', async () => {
    await stand().start({ mode: 'enforce' });
    await expectStep(attacker, 'denied');
    expect((await blocks(stand())).filter(({ by }) => by === 'policy').length).toBeGreaterThan(0);
    expect((await status(stand())).mode).toBe('enforce');
  });

  it('panic opens for all', async () => {
    expect((await stand().cli('panic')).code).toBe(0);
    await expectStep(attacker, 'passed');
    expect(await stand().attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
  });
});

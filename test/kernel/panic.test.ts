/** `panic`: open at once, agent up, hanging or down, and open until `mode enforce`. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { audited, blockedStepper, blocks, expectStep, killAgent, oneBlock } from './life.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

const POLICY = burst({ within: '10m' });

const expectNothingDenied = async (stand: Stand): Promise<void> => {
  expect(await stand.attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
};

/** In panic until `mode enforce`; what was lifted stays lifted, what comes anew is denied. */
const expectRecovery = async (stand: Stand, attacker: Running): Promise<void> => {
  expect(await stand.json<Status>('status')).toMatchObject({ mode: 'audit', panic: true, blocks: 0 });
  expect((await stand.cli('status')).code).toBe(6);
  await expectNothingDenied(stand);
  expect((await stand.cli('mode', 'audit')).code).toBe(0);
  expect((await stand.cli('status')).code).toBe(6);
  expect((await stand.cli('mode', 'enforce')).stdout).toBe('enforce\n');
  expect((await stand.cli('status')).code).toBe(0);
  await expectStep(attacker, 'passed');
  expect(await stand.attack('loop', 20)).toEqual({ passed: 5, denied: 15, other: 0 });
};

it('opens at once with the agent up, and is idempotent', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await stand.cli('block', '--cgroup', stand.cgroup);
    const looping = stand.connector('watch', 0);
    await looping.line(/^denied$/);
    expect((await stand.cli('panic')).code).toBe(0);
    await looping.line(/^passed$/);
    await looping.finish();
    expect(looping.lines.slice(0, 2)).toEqual(['denied', 'passed']);
    await expectStep(attacker, 'passed');
    expect((await stand.cli('panic')).code).toBe(0);
    expect(audited(stand, 'panic').length).toBeGreaterThan(0);
    await expectRecovery(stand, attacker);
  }));

it('outlives a restart that asks for enforcement', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await stand.cli('panic');
    for (const end of ['SIGKILL', 'SIGTERM'] as const) {
      await stand.agent?.kill(end);
      const agent = await stand.start({ mode: 'enforce' });
      expect(await agent.line(/^ready /)).toMatch(/^ready mode=audit panic /);
    }
    await expectRecovery(stand, attacker);
  }));

it('opens at once with the agent down, and stays so', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await oneBlock(stand);
    await killAgent(stand);
    expect((await stand.cli('panic')).code).toBe(0);
    await expectStep(attacker, 'passed');
    await expectNothingDenied(stand);
    expect((await stand.cli('panic')).code).toBe(0);
    const agent = await stand.start({ mode: 'enforce' });
    expect(await agent.line(/^ready /)).toMatch(/^ready mode=audit panic /);
    expect(await blocks(stand)).toEqual([]);
    await expectRecovery(stand, attacker);
  }));

it('opens at once while the agent hangs, and the agent agrees when it wakes', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await oneBlock(stand);
    process.kill(agent.pid, 'SIGSTOP');
    // Nothing waits for it in its socket: it must find out by itself.
    expect((await stand.cli('--socket', join(stand.dir, 'none'), 'panic')).code).toBe(0);
    await expectStep(attacker, 'passed');
    await expectNothingDenied(stand);
    process.kill(agent.pid, 'SIGCONT');
    await until('the agent agrees', async () => (await stand.json<Status>('status')).mode === 'audit');
    await agent.line(/^panic: /);
    await expectRecovery(stand, attacker);
  }));

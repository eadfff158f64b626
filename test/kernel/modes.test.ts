/** audit and enforce: what a switch changes at once, what it never promotes, and the way back to audit. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { native } from '../../src/kernel/native.js';
import { foreignProgram } from './foreign.js';
import {
  audited,
  blockedStepper,
  blocks,
  bootNs,
  expectStep,
  killAgent,
  oneBlock,
  withMaps,
} from './life.js';
import { span } from './pace.js';
import { burst, type Stand, until, withStand } from './stand.js';

const POLICY = burst({ within: '10m' });
const modeOf = async (stand: Stand): Promise<string> => (await stand.json<Status>('status')).mode;

it('turns live denies into audit at once and promotes none of them later', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    const victim = stand.connector('step', 0);
    await stand.cli('block', '--pid', String(victim.pid));
    await expectStep(victim, 'denied');
    expect((await stand.cli('mode', 'audit')).code).toBe(0);
    for (const process of [attacker, victim]) await expectStep(process, 'passed');
    expect(await blocks(stand)).toMatchObject([
      { mode: 'audit', policy: 'burst', hits: 2 },
      { mode: 'audit', by: 'operator', hits: 2 },
    ]);
    expect((await stand.cli('mode', 'enforce')).code).toBe(0);
    for (const process of [attacker, victim]) await expectStep(process, 'passed');
    await blockedStepper(stand);
    await killAgent(stand);
    await stand.start({ mode: 'enforce' });
    for (const process of [attacker, victim]) await expectStep(process, 'passed');
  }));

it('denies nothing in audit, and what crossed there is not promoted', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'audit', policy: POLICY });
    expect(await stand.attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
    const attacker = stand.connector('step', 0);
    for (let attempt = 0; attempt < 8; attempt++) await expectStep(attacker, 'passed');
    expect(await oneBlock(stand)).toMatchObject({ mode: 'audit', hits: 3 });
    expect((await stand.cli('block', '--cgroup', stand.cgroup)).code).toBe(6);
    expect((await stand.cli('mode', 'enforce')).code).toBe(0);
    await expectStep(attacker, 'passed');
    await blockedStepper(stand);
    await killAgent(stand);
    await stand.start({ mode: 'enforce' });
    await expectStep(attacker, 'passed');
  }));

it('reverts to audit when nobody confirms', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'audit', policy: POLICY });
    expect((await stand.cli('mode', 'enforce', '--confirm-within', span(5))).code).toBe(0);
    const attacker = await blockedStepper(stand);
    await agent.line(/^mode audit: enforcement was not confirmed/);
    expect(await modeOf(stand)).toBe('audit');
    await expectStep(attacker, 'passed');
    expect(audited(stand, 'mode')).toMatchObject([{ to: 'enforce' }, { to: 'audit' }]);
    expect((await stand.cli('confirm')).code).toBe(1);
  }));

it('reverts to audit with the agent dead, and stays there when it comes back', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    await stand.cli('mode', 'enforce', '--confirm-within', span(3));
    const attacker = await blockedStepper(stand);
    await killAgent(stand);
    const end = withMaps(stand, ({ control }) => control.get('CONFIRM'));
    await until('the attacker passes', async () => (await attacker.step()) === 'passed');
    expect(bootNs()).toBeGreaterThanOrEqual(end);
    const agent = await stand.start({ mode: 'enforce' });
    expect(await agent.line(/^ready /)).toMatch(/^ready mode=audit unconfirmed /);
    await expectStep(attacker, 'passed');
    expect((await stand.cli('mode', 'enforce')).code).toBe(0);
    await expectStep(attacker, 'passed');
  }));

it('keeps enforcing once confirmed', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'audit', policy: POLICY });
    await stand.cli('mode', 'enforce', '--confirm-within', span(5));
    const end = withMaps(stand, ({ control }) => control.get('CONFIRM'));
    expect((await stand.cli('confirm')).code).toBe(0);
    const attacker = await blockedStepper(stand);
    await until('the time is over', () => bootNs() > end + 1_500_000_000n);
    expect(await modeOf(stand)).toBe('enforce');
    await expectStep(attacker, 'denied');
  }));

it('is refused and stays in audit when the canary is not denied', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'audit', policy: POLICY });
    /* somebody took the program away, and has one of his own in its place that allows none beside it */
    const foreign = foreignProgram();
    await until('the agent cannot put it back', () => {
      const link = native().linkOpen(join(stand.pin, 'links/kg_connect4'));
      native().linkDetach(link);
      native().linkClose(link);
      return foreign.attach(stand.cgroup);
    });
    const { code, stderr } = await stand.cli('mode', 'enforce');
    expect({ code, stderr }).toMatchObject({ code: 6, stderr: expect.stringContaining('the canary got OK') });
    const { mode, degraded } = await stand.json<Status>('status');
    expect({ mode, degraded: degraded.join() }).toEqual({
      mode: 'audit',
      degraded: expect.stringContaining('canary'),
    });
    expect((await stand.cli('status')).code).toBe(6);
    expect(await stand.stop()).toBe(0);
    foreign.detach(stand.cgroup);
    foreign.close();
    await stand.start({ mode: 'enforce' });
    expect(await stand.attack('loop', 20)).toEqual({ passed: 5, denied: 15, other: 0 });
  }));

/** The circuit breaker on a real agent: what trips it, what it opens, and how long it stays so. */
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { audited, blocks, expectStep, killAgent } from './life.js';
import { SLOW, span } from './pace.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

/** The first connect crosses: each process is a block. */
const POLICY = burst({ limit: 0, time: '1h' });
const WITHIN = span(60);
const config = (blocks: number | 'off', units = 'off'): string =>
  `breaker: {blocks: ${blocks}, within: ${WITHIN}, units: ${units}}\n`;
const DENIED = { passed: 0, denied: 1, other: 0 };
const PASSED = { passed: 1, denied: 0, other: 0 };

const statusOf = (stand: Stand): Promise<Status> => stand.json<Status>('status');

/** `count` processes that are blocked one after the other and live on. */
const crossing = async (stand: Stand, count: number, cgroup = stand.cgroup): Promise<Running[]> => {
  const all = Array.from({ length: count }, () => stand.connectorIn(cgroup, 'step', 0));
  for (const each of all) await expectStep(each, 'denied');
  return all;
};

const expectTripped = async (stand: Stand, reason: RegExp): Promise<void> => {
  expect(await statusOf(stand)).toMatchObject({
    mode: 'audit',
    breaker: { state: 'tripped' },
    degraded: [expect.stringMatching(reason)],
  });
  const { code, stdout } = await stand.cli('status');
  expect({ code, stdout }).toMatchObject({ code: 6, stdout: expect.stringMatching(/^breaker +tripped/m) });
};

it(
  'trips at the 61st block: all become audit at once, and stay so until mode enforce',
  () =>
    withStand(async (stand) => {
      const agent = await stand.start({ mode: 'enforce', policy: POLICY, config: config(60) });
      const operated = stand.connector('step', 0);
      await operated.line(/^up$/);
      await stand.cli('block', '--pid', String(operated.pid));
      const [first] = await crossing(stand, 60);
      await until('sixty are known', async () => (await blocks(stand)).length === 61);
      expect(await statusOf(stand)).toMatchObject({
        mode: 'enforce',
        degraded: [],
        breaker: { state: 'armed' },
      });
      await expectStep(first as Running, 'denied');
      expect(await stand.attack('loop', 1)).toEqual(DENIED);
      await agent.line(/^mode audit: the circuit breaker tripped: .*more than 60 blocks within/);
      for (const each of [first as Running, operated]) await expectStep(each, 'passed');
      expect(await stand.attack('loop', 9)).toEqual({ passed: 9, denied: 0, other: 0 });
      expect(new Set((await blocks(stand)).map(({ mode }) => mode))).toEqual(new Set(['audit']));
      await expectTripped(stand, /circuit breaker tripped at .*more than 60 blocks/);
      expect(audited(stand, 'breaker')).toMatchObject([{ tripped: true }]);
      expect(audited(stand, 'mode')).toMatchObject([{ from: 'enforce', to: 'audit' }]);
      expect((await stand.cli('mode', 'audit')).code).toBe(0);
      await killAgent(stand);
      for (const mode of ['enforce', 'audit'] as const) {
        const again = await stand.start({ mode });
        expect(await again.line(/^ready /)).toMatch(/^ready mode=audit tripped /);
        await again.line(/^the circuit breaker tripped at .*more than 60 blocks/);
        await expectTripped(stand, /circuit breaker/);
        expect(await stand.attack('loop', 1)).toEqual(PASSED);
        expect(await stand.stop()).toBe(0);
      }
      await stand.start({ mode: 'enforce' });
      expect((await stand.cli('mode', 'enforce')).code).toBe(0);
      expect(await statusOf(stand)).toMatchObject({
        mode: 'enforce',
        degraded: [],
        breaker: { state: 'armed' },
      });
      await expectStep(first as Running, 'passed');
      expect(await stand.attack('loop', 1)).toEqual(DENIED);
      await killAgent(stand);
      const last = await stand.start({ mode: 'enforce' });
      expect(await last.line(/^ready /)).toMatch(/^ready mode=enforce /);
    }),
  240_000 * SLOW,
);

it('trips on what the hooks decided by themselves while no agent ran', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY, config: config(5) });
    await killAgent(stand);
    const all = await crossing(stand, 6);
    const again = await stand.start({ mode: 'enforce' });
    expect(await again.line(/^ready /)).toMatch(/^ready mode=audit tripped /);
    for (const each of all) await expectStep(each, 'passed');
    await expectTripped(stand, /more than 5 blocks/);
  }));

it('never counts the operator’s blocks', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY, config: config(2, '25%') });
    const all = Array.from({ length: 6 }, () => stand.connector('step', 0));
    for (const each of all) {
      await each.line(/^up$/);
      expect((await stand.cli('block', '--pid', String(each.pid))).code).toBe(0);
    }
    for (let n = 0; n < 12; n++) stand.makeCgroup(`op${n}.service`);
    for (let n = 0; n < 6; n++) expect((await stand.cli('block', '--unit', `op${n}.service`)).code).toBe(0);
    expect(await statusOf(stand)).toMatchObject({ mode: 'enforce', blocks: 12, degraded: [] });
    await crossing(stand, 2);
    expect(await stand.attack('loop', 1)).toEqual(DENIED);
    await expectEventually(stand, 'audit');
  }));

const expectEventually = (stand: Stand, mode: string): Promise<void> =>
  until(`the mode is ${mode}`, async () => (await statusOf(stand)).mode === mode);

it('trips when policies block in more than a quarter of twelve units', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY, config: config('off', '25%') });
    const units = Array.from({ length: 12 }, (_, n) => stand.makeCgroup(`web${n}.service`));
    await crossing(stand, 3, units[0]); /* one unit, however many processes */
    await crossing(stand, 1, units[1]);
    await crossing(stand, 1, units[2]);
    await until('they are known', async () => (await blocks(stand)).length === 5);
    expect((await statusOf(stand)).mode).toBe('enforce');
    await crossing(stand, 1, units[3]);
    await expectEventually(stand, 'audit');
    await expectTripped(stand, /block in 4 of 12 units, which is more than 25 %/);
  }));

it('tells once in audit that it would have tripped', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'audit', policy: POLICY, config: config(3) });
    for (let n = 0; n < 9; n++) expect(await stand.attack('loop', 1)).toEqual(PASSED);
    await agent.line(/^breaker: with mode enforce it would trip now: .*more than 3 blocks/);
    expect(await statusOf(stand)).toMatchObject({ degraded: [], breaker: { state: 'armed' } });
    expect(agent.lines.filter((line) => line.startsWith('breaker:'))).toHaveLength(1);
    expect(audited(stand, 'breaker')).toMatchObject([{ tripped: false }]);
  }));

it('is off when the configuration says so, and status tells', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY, config: config('off') });
    for (let n = 0; n < 70; n++) expect(await stand.attack('loop', 1)).toEqual(DENIED);
    expect(await statusOf(stand)).toMatchObject({
      mode: 'enforce',
      breaker: { state: 'off', blocks: 'off' },
    });
    expect((await stand.cli('status')).stdout).toMatch(/^breaker +off$/m);
  }));

/** kill -9 of the agent: what was denied stays denied until its own end, and no new deny outlives the lease. */
import { expect, it } from 'vitest';
import { blockedStepper, bootNs, expectStep, killAgent, windowEnd, withMaps } from './life.js';
import { burst, until, withStand } from './stand.js';

const isOver = (end: bigint) => () => bootNs() > end;

it('holds a block of a policy until its end, then ends it', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ time: '5s' }) });
    const attacker = stand.connector('watch', 0);
    await attacker.line(/^denied$/);
    await killAgent(stand);
    const end = windowEnd(stand);
    await attacker.line(/^passed$/, 2);
    expect(bootNs()).toBeGreaterThanOrEqual(end);
    await attacker.line(/^denied$/, 3);
    expect(windowEnd(stand)).toBeGreaterThan(end);
    expect(attacker.lines.slice(0, 4)).toEqual(['passed', 'denied', 'passed', 'denied']);
  }));

it("holds an operator's block until its end, then ends it", () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ extra: 'match: {dst.port: 9999}\n' }) });
    const attacker = stand.connector('step', 0);
    await expectStep(attacker, 'passed');
    expect((await stand.cli('block', '--pid', String(attacker.pid), '--for', '3s')).code).toBe(0);
    await killAgent(stand);
    await expectStep(attacker, 'denied');
    const end = withMaps(stand, (maps) => {
      const own = maps.verdicts.entries().find(([key]) => key.a === BigInt(attacker.pid));
      return own?.[1].until_ns ?? 0n;
    });
    await until('the attacker passes', async () => (await attacker.step()) === 'passed');
    expect(bootNs()).toBeGreaterThanOrEqual(end);
    expect(end).toBeGreaterThan(0n);
  }));

it('makes no new deny past the lease, and keeps the ones there are', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ time: '4s' }) });
    const before = await blockedStepper(stand);
    await killAgent(stand);
    withMaps(stand, ({ control }) => control.set('LEASE', bootNs()));
    const end = windowEnd(stand);
    expect(await stand.attack('loop', 50)).toEqual({ passed: 50, denied: 0, other: 0 });
    await expectStep(before, 'denied');
    expect(withMaps(stand, ({ counters }) => counters.get('LEASE_OPEN'))).toBe(45);
    await until('the block is over', isOver(end));
    for (let attempt = 0; attempt < 8; attempt++) await expectStep(before, 'passed');
  }));

it('goes on denying within the lease', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst() });
    await killAgent(stand);
    expect(await stand.attack('loop', 50)).toEqual({ passed: 5, denied: 45, other: 0 });
  }));

/** Several agents on one host, clean stops, and pins that are not ours. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { blockedStepper, blocks, expectStep, killAgent, oneBlock, withMaps } from './life.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

const POLICY = burst({ within: '10m' });

/** Starts an agent that must be refused; answers what it said. */
const refused = async (stand: Stand, ...args: string[]): Promise<string> => {
  const agent: Running = stand.launch({ mode: 'enforce', policy: POLICY, args });
  await expect(agent.line(/^ready /)).rejects.toThrow('ended without');
  expect(agent.child.exitCode).toBe(1);
  return agent.lines.join('\n');
};

it('refuses a state folder, pins and a socket that another agent has, and leaves that one alone', () =>
  withStand((first) =>
    withStand(async (second) => {
      await first.start({ mode: 'enforce', policy: POLICY });
      const attacker = await blockedStepper(first);
      const ours = { state: first.state, pin: first.pin, socket: first.socket };
      expect(await refused(second, '--state', ours.state)).toContain(
        'another agent runs with this state folder',
      );
      expect(existsSync(second.pin)).toBe(false);
      expect(await refused(second, '--pin', ours.pin)).toContain(
        'another agent runs with this folder of pins',
      );
      expect(await refused(second, '--socket', ours.socket)).toContain(
        `another agent answers on ${ours.socket}`,
      );
      expect(existsSync(second.pin)).toBe(false); // what the refused one had attached
      expect(await second.attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
      await expectStep(attacker, 'denied');
      expect((await first.cli('status')).code).toBe(0);
      expect(await oneBlock(first)).toMatchObject({ hits: 2 });
    }),
  ));

it('works side by side, each in its own subtree', () =>
  withStand((first) =>
    withStand(async (second) => {
      await first.start({ mode: 'enforce', policy: POLICY });
      await second.start({ mode: 'enforce', policy: burst({ limit: 2 }) });
      expect(await first.attack('loop', 20)).toEqual({ passed: 5, denied: 15, other: 0 });
      expect(await second.attack('loop', 20)).toEqual({ passed: 2, denied: 18, other: 0 });
      await first.cli('panic');
      expect(await first.attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
      expect(await second.attack('loop', 20)).toEqual({ passed: 2, denied: 18, other: 0 });
    }),
  ));

it('stops cleanly while a client follows: exit code 0, blocks stay, the next start is quick', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    const { id } = await oneBlock(stand);
    const follower = stand.spawn(process.execPath, ['dist/main.js', 'events', '--follow']);
    await until('the client follows', async () => {
      await expectStep(attacker, 'denied');
      return follower.lines.some((line) => line.includes('connect'));
    });
    expect(await stand.stop()).toBe(0);
    expect(existsSync(stand.socket)).toBe(false);
    await expectStep(attacker, 'denied');
    const agent = await stand.start({ mode: 'enforce' });
    expect(await agent.line(/^ready /)).toMatch(/ adopted$/);
    await expectStep(attacker, 'denied');
    expect(await blocks(stand)).toMatchObject([{ id, mode: 'enforce' }]);
  }));

it('stops cleanly also before it is ready', () =>
  withStand(async (stand) => {
    const agent = stand.launch({ mode: 'enforce', policy: POLICY });
    const isUp = () => agent.lines.some((line) => line.startsWith('ready '));
    const isProving = () => readdirSync(stand.cgroup).some((name) => name.startsWith('kerngate-canary-'));
    await until('the agent proves itself', () => isProving() || isUp());
    expect(await stand.stop()).toBe(0);
    expect(existsSync(stand.socket)).toBe(false);
    expect(await stand.attack('loop', 20)).toEqual({ passed: 5, denied: 15, other: 0 });
  }));

it('opens and takes its pins away with --release-on-exit', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY, args: ['--release-on-exit'] });
    const attacker = await blockedStepper(stand);
    await stand.cli('block', '--unit', 'kerngate-stand.service');
    expect(await stand.stop()).toBe(0);
    expect(existsSync(stand.pin)).toBe(false);
    expect(await stand.attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
    await expectStep(attacker, 'passed');
    await stand.start({ mode: 'enforce' });
    expect(await blocks(stand)).toEqual([]);
    await expectStep(attacker, 'passed');
  }));

it("leaves others' pins in the same folder alone when it takes its own away", () =>
  withStand(async (stand) => {
    const theirs = join(stand.pin, 'theirs');
    mkdirSync(theirs, { recursive: true });
    const broken = stand.launch({ policy: 'kerngate: 1\n' });
    await expect(broken.line(/^ready /)).rejects.toThrow('ended without');
    await stand.start({ policy: POLICY, args: ['--release-on-exit'] });
    expect(await stand.stop()).toBe(0);
    expect(readdirSync(stand.pin).sort()).toEqual(['theirs']);
  }));

it('refuses pins of another ABI and leaves them untouched; panic opens them all the same', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await killAgent(stand);
    withMaps(stand, ({ control }) => control.set('STAMP', 0x1234n));
    const pins = readdirSync(stand.pin, { recursive: true }).sort();
    const said = await refused(stand);
    expect(said).toContain(`${stand.pin}: pinned by a kerngate of another ABI (0000000000001234)`);
    expect(said).toContain(`kerngate panic --pin ${stand.pin} && rm -r ${stand.pin}`);
    expect(readdirSync(stand.pin, { recursive: true }).sort()).toEqual(pins);
    expect(withMaps(stand, ({ control }) => control.get('STAMP'))).toBe(0x1234n);
    await expectStep(attacker, 'denied');
    expect((await stand.cli('panic')).code).toBe(0);
    await expectStep(attacker, 'passed');
  }));

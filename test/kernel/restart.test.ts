/** Restarts: the next agent goes on where the last one ended, and no call slips through between them. */
import { existsSync, mkdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Finding } from '../../src/model/finding.js';
import { agentPid, audited, blocks, expectStep, killAgent, oneBlock, otherBuild, windowEnd } from './life.js';
import { burst, type Stand, until, withStand } from './stand.js';

it('adopts a block: same id, same end, hits go on', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst() });
    const attacker = stand.connector('watch', 0);
    const before = await oneBlock(stand);
    const end = windowEnd(stand);
    await killAgent(stand);
    await stand.start({ mode: 'enforce' });
    const [after, ...more] = await blocks(stand);
    expect(more).toEqual([]);
    expect(after).toMatchObject({ id: before.id, policy: 'burst', mode: 'enforce', by: 'policy' });
    expect(after?.hits).toBeGreaterThan(before.hits);
    expect(windowEnd(stand)).toBe(end);
    // Both are reckoned from the same moment of the boot clock.
    expect(Math.abs(Date.parse(after?.until ?? '') - Date.parse(before.until))).toBeLessThan(100);
    expect((await attacker.finish()).passed).toBe(5);
  }));

it("adopts an operator's block", () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst() });
    const attacker = stand.connector('step', 0);
    await stand.cli('block', '--pid', String(attacker.pid), '--reason', 'mine');
    await expectStep(attacker, 'denied');
    const before = await oneBlock(stand);
    await killAgent(stand);
    await expectStep(attacker, 'denied');
    await stand.start({ mode: 'enforce' });
    await expectStep(attacker, 'denied');
    expect(await blocks(stand)).toMatchObject([{ id: before.id, reason: 'mine', by: 'operator', hits: 3 }]);
  }));

it('keeps windows: three before the kill, two after, the sixth is refused', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ within: '10m' }) });
    const attacker = stand.connector('step', 0);
    for (let attempt = 0; attempt < 3; attempt++) await expectStep(attacker, 'passed');
    await killAgent(stand);
    await stand.start({ mode: 'enforce' });
    await expectStep(attacker, 'passed');
    await expectStep(attacker, 'passed');
    await expectStep(attacker, 'denied');
  }));

/** An attacker loops all the while; `again` ends the agent and starts the next one. */
const loopThrough = (times: number, again: (stand: Stand, time: number) => Promise<string>) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst() });
    const attacker = stand.connector('watch', 0);
    await attacker.line(/^denied$/);
    for (let time = 0; time < times; time++) expect(await again(stand, time)).toMatch(/ mode=enforce /);
    const { passed, denied, other } = await attacker.finish();
    expect({ passed, other }).toEqual({ passed: 5, other: 0 });
    expect(denied).toBeGreaterThan(100);
    expect(await blocks(stand)).toHaveLength(0); // it has exited
  });

const ready = async (stand: Stand, main?: string): Promise<string> => {
  const agent = await stand.start({ mode: 'enforce', ...(main === undefined ? {} : { main }) });
  return agent.line(/^ready /);
};

it('lets no call through kill -9 and restart, four times', () =>
  loopThrough(4, async (stand) => {
    await killAgent(stand);
    const line = await ready(stand);
    expect(line).toMatch(/ adopted$/);
    return line;
  }));

it('lets no call through SIGTERM and restart, three times', () =>
  loopThrough(3, async (stand) => {
    expect(await stand.stop()).toBe(0);
    const line = await ready(stand);
    expect(line).toMatch(/ adopted$/);
    return line;
  }));

it('lets no call through an upgrade of the BPF object, three times', () =>
  loopThrough(3, async (stand, time) => {
    if (time % 2 === 0) await killAgent(stand);
    else await stand.stop();
    const line = await ready(stand, otherBuild(stand, `build-${time}`));
    expect(line).not.toMatch(/ adopted$/); // the programs are new, the maps are not
    return line;
  }));

it('lets no call through two agents killed while they start', () =>
  loopThrough(2, async (stand, time) => {
    await killAgent(stand);
    const half = stand.launch({ mode: 'enforce', main: otherBuild(stand, `half-${time}`) });
    await until('the new programs are being attached', () => half.isOver || isTakingOver(stand, half.pid));
    await half.kill('SIGKILL');
    return ready(stand);
  }));

/** The agent's first act is to exempt itself; everything else is still before it. */
const isTakingOver = (stand: Stand, pid: number): boolean => agentPid(stand) === pid;

it('takes away the cgroup of a canary whose agent was killed', () =>
  withStand(async (stand) => {
    const leftOver = stand.makeCgroup('kerngate-canary-000000');
    await stand.start({ mode: 'enforce', policy: burst() });
    expect(existsSync(leftOver)).toBe(false);
    mkdirSync(leftOver); // the stand takes it away
  }));

it('tells of what crossed while no agent ran', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst() });
    await killAgent(stand);
    const attacker = stand.connector('watch', 0);
    await attacker.line(/^denied$/);
    await stand.start({ mode: 'enforce' });
    const block = await oneBlock(stand);
    expect(block).toMatchObject({ policy: 'burst', enforced_by: 'kernel', mode: 'enforce' });
    await until('the finding is there', async () => (await stand.json<Finding[]>('findings')).length === 1);
    const [finding] = await stand.json<Finding[]>('findings');
    expect(finding?.evidence).toHaveLength(6);
    expect(audited(stand, 'decision')).toMatchObject([{ decision: { id: block.id, policy: 'burst' } }]);
  }));

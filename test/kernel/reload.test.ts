/** Reload: unchanged rules go on as if nothing had happened, others end, and a broken set changes nothing. */
import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { blockedStepper, blocks, expectStep, oneBlock, windowEnd, withMaps } from './life.js';
import { burst, type Stand, withStand } from './stand.js';

const POLICY = burst({ within: '10m' });
const OTHER = burst({ name: 'other', limit: 16, within: '5m' });

const write = (stand: Stand, text: string): void => writeFileSync(stand.policyFile, text);
const reload = async (stand: Stand, text: string): Promise<void> => {
  write(stand, text);
  expect((await stand.cli('policy', 'reload')).code).toBe(0);
};
const ruleWindows = (stand: Stand): number =>
  withMaps(stand, (maps) => maps.windows.entries().filter(([, { verdict }]) => verdict === 0).length);

it('keeps windows and blocks of an unchanged rule, also when its summary and others change', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const blocked = await blockedStepper(stand);
    const counting = stand.connector('step', 0);
    for (let attempt = 0; attempt < 3; attempt++) await expectStep(counting, 'passed');
    const before = await oneBlock(stand);
    const end = windowEnd(stand);
    await reload(stand, `${OTHER}---\n${POLICY.replace('More than', 'Over')}`);
    await expectStep(blocked, 'denied');
    expect(await blocks(stand)).toMatchObject([{ id: before.id, hits: 2 }]);
    expect(windowEnd(stand)).toBe(end);
    await expectStep(counting, 'passed');
    await expectStep(counting, 'passed');
    await expectStep(counting, 'denied');
  }));

it('ends windows and blocks of a rule that changed', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await reload(stand, burst({ within: '9m' }));
    expect(await blocks(stand)).toEqual([]);
    for (let attempt = 0; attempt < 5; attempt++) await expectStep(attacker, 'passed');
    await expectStep(attacker, 'denied');
  }));

it('ends windows and blocks of a rule that was removed, also when it comes back', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const blocked = await blockedStepper(stand);
    const counting = stand.connector('step', 0);
    for (let attempt = 0; attempt < 5; attempt++) await expectStep(counting, 'passed');
    await reload(stand, OTHER);
    expect(await blocks(stand)).toEqual([]);
    await expectStep(blocked, 'passed');
    await reload(stand, `${OTHER}---\n${POLICY}`);
    for (const attacker of [blocked, counting]) {
      for (let attempt = 0; attempt < 5; attempt++) await expectStep(attacker, 'passed');
      await expectStep(attacker, 'denied');
    }
    expect(ruleWindows(stand)).toBe(2); // those of the rule that never left
  }));

const BROKEN = 'kerngate: 1\npolicy: burst\nsumary: Typed in haste.\n';

it('changes nothing when a policy is broken', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    const { id } = await oneBlock(stand);
    write(stand, BROKEN);
    const { code, stderr } = await stand.cli('policy', 'reload');
    expect(code).toBe(5);
    expect(stderr).toContain(`${stand.policyFile}:3:1: `);
    expect(stderr).toContain("did you mean 'summary'?");
    agent.child.kill('SIGHUP');
    const line = await agent.line(/^reload refused/);
    expect(line).toContain(`${stand.policyFile}:3:1: `);
    expect(line).toContain('the old policies stay in force');
    await expectStep(attacker, 'denied');
    expect(await blocks(stand)).toMatchObject([{ id, hits: 2 }]);
    await blockedStepper(stand);
    expect((await stand.cli('status')).code).toBe(0);
  }));

it('lets no call through an unchanged rule during fifty reloads that move it about', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = stand.connector('watch', 0);
    await attacker.line(/^denied$/);
    for (let time = 1; time <= 50; time++) {
      const from = agent.lines.length;
      write(stand, time % 2 === 0 ? POLICY : `${burst({ name: 'a-first', limit: 16 })}---\n${POLICY}`);
      agent.child.kill('SIGHUP');
      await agent.line(/^reloaded /, from);
    }
    const { passed, denied, other } = await attacker.finish();
    expect({ passed, other }).toEqual({ passed: 5, other: 0 });
    expect(denied).toBeGreaterThan(1000);
  }));

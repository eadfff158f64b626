/** `unblock` while no agent runs, or while it hangs: open at once, and still open after the next start. */
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blockedStepper, blocks, expectStep, killAgent, oneBlock } from './life.js';
import { burst, type Running, type Stand, withStand } from './stand.js';

interface Case {
  readonly by?: string;
  readonly filter: (attacker: Running, id: string, stand: Stand) => string[];
}

const FILTERS: Readonly<Record<string, Case>> = {
  'its id': { filter: (_, id) => [id] },
  '--pid': { filter: ({ pid }) => ['--pid', String(pid)] },
  '--policy': { filter: () => ['--policy', 'burst'] },
  '--all': { filter: () => ['--all'] },
  '--cgroup, of a cgroup': { by: 'cgroup', filter: (_, __, stand) => ['--cgroup', stand.cgroup] },
  '--cgroup, of a member': { filter: (_, __, stand) => ['--cgroup', stand.cgroup] },
  '--pid, of a lineage': { by: 'lineage', filter: (_, id) => [id] },
};

/** Nothing is blocked by the next agent, though one more attempt would have been refused before. */
const expectOpen = async (stand: Stand, attacker: Running): Promise<void> => {
  await expectStep(attacker, 'passed');
  await stand.start({ mode: 'enforce' });
  expect(await blocks(stand)).toEqual([]);
  for (let attempt = 0; attempt < 4; attempt++) await expectStep(attacker, 'passed');
  await expectStep(attacker, 'denied'); // its window began empty, and the rule holds as before
};

describe("a policy's block", () => {
  for (const [name, { by = 'process', filter }] of Object.entries(FILTERS)) {
    it(`is lifted by ${name}, and stays lifted`, () =>
      withStand(async (stand) => {
        await stand.start({ mode: 'enforce', policy: burst({ by, within: '10m' }) });
        const attacker = await blockedStepper(stand);
        const { id } = await oneBlock(stand);
        await killAgent(stand);
        await expectStep(attacker, 'denied');
        const words = filter(attacker, id, stand);
        const { code, stdout } = await stand.cli('unblock', ...words);
        expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
        await expectOpen(stand, attacker);
      }));
  }
});

const OPERATOR: Readonly<Record<string, (stand: Stand, pid: string) => string[]>> = {
  '--pid': (_, pid) => ['--pid', pid],
  '--cgroup': (stand) => ['--cgroup', stand.cgroup],
};

describe("an operator's block", () => {
  for (const [name, filter] of Object.entries(OPERATOR)) {
    it(`is lifted by ${name}, and stays lifted`, () =>
      withStand(async (stand) => {
        await stand.start({ mode: 'enforce', policy: burst({ within: '10m' }) });
        const attacker = stand.connector('step', 0);
        const target = name === '--cgroup' ? filter(stand, '') : ['--pid', String(attacker.pid)];
        expect((await stand.cli('block', ...target)).code).toBe(0);
        await expectStep(attacker, 'denied');
        await killAgent(stand);
        expect((await stand.cli('unblock', ...filter(stand, String(attacker.pid)))).code).toBe(0);
        await expectOpen(stand, attacker);
      }));
  }

  it('on a unit that does not run now is lifted too', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst({ within: '10m' }) });
      const unit = 'kerngate-stand.service';
      await stand.cli('block', '--unit', unit);
      expect(await blocks(stand)).toHaveLength(1);
      await killAgent(stand);
      expect((await stand.cli('unblock', '--unit', unit)).stdout).toContain(unit);
      await stand.start({ mode: 'enforce' });
      expect(await blocks(stand)).toEqual([]);
    }));
});

it('knows the ids of the past, and no others, with the agent and without it', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst() });
    const attacker = await blockedStepper(stand);
    const { id } = await oneBlock(stand);
    const unknown = 'feedfacefeedface';
    const codes = async () => [
      (await stand.cli('unblock', unknown)).code,
      (await stand.cli('unblock', id)).code,
      (await stand.cli('unblock', unknown)).code,
      (await stand.cli('unblock', id)).code,
    ];
    expect(await codes()).toEqual([3, 0, 3, 0]);
    await killAgent(stand);
    const journal = () => readFileSync(join(stand.state, 'journal.jsonl'), 'utf8');
    expect(await codes()).toEqual([3, 0, 3, 0]);
    expect(journal()).not.toContain(unknown);
    await expectStep(attacker, 'passed');
  }));

it('writes behind a journal that was torn at its end', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ within: '10m' }) });
    const attacker = await blockedStepper(stand);
    await oneBlock(stand);
    await killAgent(stand);
    appendFileSync(join(stand.state, 'journal.jsonl'), '{"boot":"half a li');
    expect((await stand.cli('unblock', '--all')).code).toBe(0);
    await expectOpen(stand, attacker);
    expect(stand.agent?.lines.filter((line) => line.startsWith('journal:'))).toEqual([]);
  }));

it('lifts what the next agent would restore although nothing is pinned, as after a reboot', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ within: '10m' }) });
    await stand.cli('block', '--unit', 'kerngate-stand.service');
    await killAgent(stand);
    rmSync(stand.pin, { recursive: true });
    await stand.start({ mode: 'enforce' });
    expect(await blocks(stand)).toHaveLength(1);
    await killAgent(stand);
    rmSync(stand.pin, { recursive: true });
    expect((await stand.cli('unblock', '--all')).stdout).toContain('kerngate-stand.service');
    await stand.start({ mode: 'enforce' });
    expect(await blocks(stand)).toEqual([]);
  }));

it('takes effect while the agent hangs, and the agent agrees when it wakes', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'enforce', policy: burst({ within: '10m' }) });
    const attacker = await blockedStepper(stand);
    await stand.cli('block', '--pid', String(attacker.pid));
    process.kill(agent.pid, 'SIGSTOP');
    // Nothing waits for it in its socket: it must find out by itself.
    const { code } = await stand.cli('--socket', join(stand.dir, 'none'), 'unblock', '--all');
    expect(code).toBe(0);
    await expectStep(attacker, 'passed');
    process.kill(agent.pid, 'SIGCONT');
    expect(await blocks(stand)).toEqual([]);
    await expectStep(attacker, 'passed');
    expect((await stand.cli('policy', 'reload')).code).toBe(0); // it reconciles now
    await expectStep(attacker, 'passed');
  }));

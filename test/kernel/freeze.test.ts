/** `freeze`: a cgroup stands still while its block is in force, and runs again whatever becomes of the agent. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { remembered } from '../../src/enforce/frozen.js';
import { cgroupOf } from '../../src/lib/cgroup-tree.js';
import { readStat } from '../../src/lib/proc.js';
import { killAgent, oneBlock } from './life.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

/** Units are found by name in the whole tree, also where another run keeps its own. */
const UNIT = `bad-${process.pid}.service`;

const QUIET = burst({ name: 'quiet', limit: 16, within: '100ms', extra: 'match:\n  dst.port: 9\n' });

/** Answers each line, as long as it runs. */
const startEcho = async (stand: Stand, cgroup: string): Promise<Running> => {
  const echo = stand.spawn('bash', [
    '-c',
    'echo $$ >"$1"/cgroup.procs && echo up; while read -r word; do echo "$word"; done',
    'bash',
    cgroup,
  ]);
  await echo.line(/^up$/);
  return echo;
};

const answers = async (echo: Running, word: string): Promise<void> => {
  echo.child.stdin?.write(`${word}\n`);
  await echo.line(new RegExp(`^${word}$`));
};

const isFrozen = (cgroup: string): boolean =>
  /^frozen 1$/m.test(readFileSync(join(cgroup, 'cgroup.events'), 'utf8'));

/** The helper processes of the stand that would thaw. */
const helpers = (stand: Stand): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`kerngate-thaw\0${stand.cgroup}`);
      } catch {
        return false;
      }
    });

const frozenStand = (
  work: (stand: Stand, cgroup: string, echo: Running) => Promise<void>,
  time = '10m',
): Promise<void> =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: QUIET });
    const cgroup = stand.makeCgroup(UNIT);
    const echo = await startEcho(stand, cgroup);
    const ran = await stand.cli('block', '--cgroup', cgroup, '--for', time, '--freeze');
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(isFrozen(cgroup)).toBe(true);
    await work(stand, cgroup, echo);
  });

const expectRunning = async (stand: Stand, cgroup: string, echo: Running): Promise<void> => {
  await answers(echo, 'again');
  expect(isFrozen(cgroup)).toBe(false);
  await until('nothing is left of it', () => remembered(stand.state).length + helpers(stand).length === 0);
};

describe('a frozen cgroup', () => {
  it('runs again at once when it is unblocked', () =>
    frozenStand(async (stand, cgroup, echo) => {
      const { id } = await oneBlock(stand);
      expect((await stand.cli('unblock', id)).code).toBe(0);
      expect(isFrozen(cgroup)).toBe(false);
      await expectRunning(stand, cgroup, echo);
    }));

  it('is thawed by a helper of its own, apart from agent and target, when the agent is killed', () =>
    frozenStand(async (stand, cgroup, echo) => {
      const [record] = remembered(stand.state);
      expect(record).toMatchObject({ path: cgroup, timer: { kind: 'process' } });
      const pid = record?.timer.kind === 'process' ? record.timer.pid : 0;
      expect(helpers(stand)).toEqual([pid]);
      expect(cgroupOf(pid)).toBe('/');
      expect(readStat(pid)?.ppid).toBe(stand.agent?.pid);
      await killAgent(stand);
      expect(isFrozen(cgroup)).toBe(true);
      await answers(echo, 'thawed');
      await until('the helper is gone', () => helpers(stand).length === 0);
      // The next agent finds a record without a freeze, and forgets it.
      await stand.start({ mode: 'enforce' });
      await expectRunning(stand, cgroup, echo);
    }, '2s'));

  it('is thawed by the agent when the block expires', () =>
    frozenStand(async (stand, cgroup, echo) => {
      await answers(echo, 'thawed');
      await expectRunning(stand, cgroup, echo);
    }, '2s'));

  it.each([
    ['panic', true],
    ['panic', false],
    ['unblock --all', false],
    ['unblock --cgroup', false],
    ['mode audit', true],
  ])('is thawed by %s (agent running: %s)', (command, isRunning) =>
    frozenStand(async (stand, cgroup, echo) => {
      if (!isRunning) await killAgent(stand);
      const words = command.split(' ');
      expect((await stand.cli(...words, ...(words[1] === '--cgroup' ? [cgroup] : []))).code).toBe(0);
      expect(isFrozen(cgroup)).toBe(false);
      await expectRunning(stand, cgroup, echo);
    }),
  );

  it('stays frozen over a restart of the agent, and is still undone by it', () =>
    frozenStand(async (stand, cgroup, echo) => {
      await stand.stop();
      await stand.start({ mode: 'enforce' });
      expect(isFrozen(cgroup)).toBe(true);
      expect((await stand.cli('unblock', '--all')).code).toBe(0);
      await expectRunning(stand, cgroup, echo);
    }));

  it('runs again when its timer is told to end', () =>
    frozenStand(async (stand, cgroup, echo) => {
      await killAgent(stand);
      process.kill(helpers(stand)[0] ?? 0, 'SIGTERM');
      await answers(echo, 'termed');
      await stand.start({ mode: 'enforce' });
      expect((await stand.cli('block', '--cgroup', cgroup, '--freeze')).code).toBe(0);
      expect(isFrozen(cgroup)).toBe(true);
      expect((await stand.cli('unblock', '--all')).code).toBe(0);
      await expectRunning(stand, cgroup, echo);
    }));

  it('runs again when its timer is killed', () =>
    frozenStand(async (stand, cgroup, echo) => {
      for (const pid of helpers(stand)) process.kill(-pid, 'SIGKILL');
      await answers(echo, 'killed');
      await until('the agent tells', () =>
        (stand.agent?.lines ?? []).some((line) => line.includes('the timer of its freeze was killed')),
      );
      await expectRunning(stand, cgroup, echo);
    }));

  it('is frozen for longer when it is asked for again, by a new timer', () =>
    frozenStand(async (stand, cgroup, echo) => {
      const [before] = helpers(stand);
      expect((await stand.cli('block', '--cgroup', cgroup, '--for', '20m', '--freeze')).code).toBe(0);
      const after = helpers(stand);
      expect(after).toHaveLength(1);
      expect(after).not.toContain(before);
      expect(isFrozen(cgroup)).toBe(true);
      expect((await stand.cli('unblock', '--all')).code).toBe(0);
      await expectRunning(stand, cgroup, echo);
    }));
});

describe('a freeze is refused, and nothing is blocked,', () => {
  const refused = (words: (stand: Stand, cgroup: string) => Promise<string[]> | string[], message: RegExp) =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: QUIET });
      const cgroup = stand.makeCgroup(UNIT);
      const told = await words(stand, cgroup);
      const { code, stderr } = await stand.cli('block', ...told, '--freeze');
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
      expect(await stand.json('blocks')).toEqual([]);
      expect({ frozen: remembered(stand.state), helpers: helpers(stand) }).toEqual({
        frozen: [],
        helpers: [],
      });
    });

  it('when the group holds a protected process', () =>
    refused(async (stand, cgroup) => {
      const echo = await startEcho(stand, cgroup);
      await stand.cli('allow', 'add', `pid:${echo.pid}`, '--reason', 'needed');
      return ['--cgroup', stand.cgroup];
    }, /it holds bash \(pid \d+\), which is protected/));

  it('when the group holds the agent', () =>
    refused((stand, cgroup) => {
      writeFileSync(join(cgroup, 'cgroup.procs'), String(stand.agent?.pid));
      return ['--unit', UNIT];
    }, /it holds .* \(pid \d+\), which is protected/));

  it('when it is the root', () => refused(() => ['--cgroup', '/'], /root cgroup/));

  it('when it lies outside the scope', () =>
    withStand((other) => refused(() => ['--cgroup', other.cgroup], /outside the agent's scope/)));

  it('when a process shares its group', () =>
    refused(async (stand, cgroup) => {
      await startEcho(stand, cgroup);
      return ['--pid', String((await startEcho(stand, cgroup)).pid)];
    }, /holds 1 other processes.*|--cgroup/));

  it('when the unit does not run', () => refused(() => ['--unit', 'none.service'], /no cgroup now/));

  it('when somebody else froze it, which stays so', () =>
    refused(async (stand, cgroup) => {
      await startEcho(stand, cgroup);
      writeFileSync(join(cgroup, 'cgroup.freeze'), '1');
      await until('it stands still', () => isFrozen(cgroup));
      return ['--cgroup', cgroup];
    }, /somebody else froze it already/));
});

it('takes a process with the cgroup that is its alone', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: QUIET });
    const cgroup = stand.makeCgroup('alone');
    const echo = await startEcho(stand, cgroup);
    expect((await stand.cli('block', '--pid', String(echo.pid), '--freeze', '--sever')).code).toBe(0);
    expect(isFrozen(cgroup)).toBe(true);
    expect((await stand.cli('unblock', '--pid', String(echo.pid))).code).toBe(0);
    await expectRunning(stand, cgroup, echo);
  }));

it('freezes nothing in audit', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'audit', policy: QUIET });
    const cgroup = stand.makeCgroup(UNIT);
    const echo = await startEcho(stand, cgroup);
    expect((await stand.cli('block', '--cgroup', cgroup, '--freeze')).code).toBe(6);
    expect({ frozen: isFrozen(cgroup), helpers: helpers(stand) }).toEqual({ frozen: false, helpers: [] });
    await answers(echo, 'runs');
    expect(existsSync(join(stand.state, 'frozen'))).toBe(false);
  }));

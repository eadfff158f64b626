/** Drift: what others detach, unpin, unmount or delete is noticed, put right, counted and told. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { native } from '../../src/kernel/native.js';
import { FOREIGN, foreignProgram } from './foreign.js';
import { audited, blockedStepper, expectStep, killAgent, withMaps } from './life.js';
import { burst, type Stand, until, withStand } from './stand.js';

const POLICY = burst({ within: '10m', time: '1h' });

const statusOf = (stand: Stand): Promise<Status> => stand.json<Status>('status');
const repairsOf = async (stand: Stand): Promise<number> =>
  (await statusOf(stand)).counters.drift_repaired ?? 0;
const bpftool = (...words: string[]): string => execFileSync('bpftool', words, { encoding: 'utf8' });
const pinned = (stand: Stand): string[] =>
  [...readdirSync(join(stand.pin, 'links')), ...readdirSync(stand.pin)].sort();

const linkId = (stand: Stand, program: string): number => {
  const link = native().linkOpen(join(stand.pin, 'links', program));
  const { id } = native().linkInfo(link);
  native().linkClose(link);
  return id;
};

/** An agent that denies, the process it denies, and what is there while all is well. */
const withDenied = (
  work: (stand: Stand, attacker: Awaited<ReturnType<typeof blockedStepper>>) => Promise<void>,
) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    await expectStep(attacker, 'denied');
    await work(stand, attacker);
  });

const expectRepaired = async (stand: Stand, what: RegExp, count = 1): Promise<void> => {
  await stand.agent?.line(what);
  await until('all is repaired', async () => (await repairsOf(stand)) >= count);
  const { degraded, counters, mode } = await statusOf(stand);
  expect({ degraded, mode, repaired: counters.drift_repaired }).toEqual({
    degraded: [],
    mode: 'enforce',
    repaired: count,
  });
  expect(audited(stand, 'drift')).toHaveLength(count);
  expect(stand.agent?.lines.filter((line) => line.startsWith('drift:'))).toHaveLength(count);
};

describe('what another process takes away', () => {
  it('a link that was detached is attached again', () =>
    withDenied(async (stand, attacker) => {
      bpftool('link', 'detach', 'id', String(linkId(stand, 'kg_connect4')));
      await until('it is denied again', async () => (await attacker.step()) === 'denied');
      await expectRepaired(stand, /^drift: kg_connect4 was detached; put right$/);
      for (let n = 0; n < 5; n++) await expectStep(attacker, 'denied');
      await killAgent(stand); /* the new link is pinned as the old one was */
      await expectStep(attacker, 'denied');
      const again = await stand.start({ mode: 'enforce' });
      expect(await again.line(/^ready /)).toMatch(/ adopted$/);
      bpftool(
        'link',
        'detach',
        'id',
        String(linkId(stand, 'kg_connect4')),
      ); /* also one that was taken over */
      await again.line(/^drift: kg_connect4 was detached; put right$/);
      await expectStep(attacker, 'denied');
    }));

  it('a link, also by an agent without CAP_SYS_ADMIN, as the packaged service has none', () =>
    withStand(async (stand) => {
      writeFileSync(stand.policyFile, POLICY);
      const bound = ['--bounding-set=-sys_admin', '--inh-caps=-sys_admin'];
      const words = ['run', '--mode', 'enforce', '--policy', stand.policyFile];
      const agent = stand.spawn('setpriv', [...bound, process.execPath, stand.main, ...words]);
      await agent.line(/^ready /);
      const attacker = await blockedStepper(stand);
      bpftool('link', 'detach', 'id', String(linkId(stand, 'kg_connect4')));
      await agent.line(/^drift: kg_connect4 was detached; put right$/);
      await expectStep(attacker, 'denied');
      await agent.kill('SIGKILL');
      await expectStep(attacker, 'denied');
    }));

  it('pins of links and maps are set again, and nothing was open meanwhile', () =>
    withDenied(async (stand, attacker) => {
      const before = pinned(stand);
      rmSync(join(stand.pin, 'links/kg_connect4'));
      rmSync(join(stand.pin, 'kg_windows'));
      for (let n = 0; n < 20; n++) await expectStep(attacker, 'denied');
      await expectRepaired(stand, /^drift: pins of maps were gone \(kg_windows\); put right$/, 2);
      expect(pinned(stand)).toEqual(before);
      await killAgent(stand);
      await expectStep(attacker, 'denied');
      const again = await stand.start({ mode: 'enforce' });
      expect(await again.line(/^ready /)).toMatch(/ adopted$/);
      await expectStep(attacker, 'denied');
    }));

  it.each(['the folder is removed', 'the file system is unmounted'])('everything, when %s', (how) =>
    withDenied(async (stand, attacker) => {
      const before = pinned(stand);
      if (how.startsWith('the folder')) rmSync(stand.pin, { recursive: true });
      else execFileSync('umount', ['-l', dirname(stand.pin)]);
      for (let n = 0; n < 20; n++) await expectStep(attacker, 'denied');
      await expectRepaired(stand, /^drift: the folder of pins was gone; put right$/, 3);
      expect(pinned(stand)).toEqual(before);
      const other = await stand.cli(
        'run',
        '--state',
        join(stand.dir, 'other'),
        '--socket',
        join(stand.dir, 'o.sock'),
      );
      expect(other).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/another agent runs with this folder of pins/),
      });
      await killAgent(stand);
      await expectStep(attacker, 'denied');
      const again = await stand.start({ mode: 'enforce' });
      expect(await again.line(/^ready /)).toMatch(/ adopted$/);
    }),
  );

  it('a verdict that was deleted is written again', () =>
    withDenied(async (stand) => {
      const victim = stand.connector('step', 0);
      await victim.line(/^up$/);
      await stand.cli('block', '--pid', String(victim.pid));
      await expectStep(victim, 'denied');
      /* right after a decision the agent writes it again without a word: it cannot tell why it was missing */
      await until('the agent has compared', async () => {
        if ((await repairsOf(stand)) > 0) return true;
        withMaps(stand, ({ verdicts }) => {
          for (const [key] of verdicts.entries()) if (Number(key.a) === victim.pid) verdicts.delete(key);
        });
        return false;
      });
      await until('it is denied again', async () => (await victim.step()) === 'denied');
      await stand.agent?.line(
        /^drift: 1 verdicts were gone or changed in the kernel \(.*pid \d+\)\); put right$/,
      );
    }));

  it('nothing, when a protected process exits and the kernel forgets it', () =>
    withDenied(async (stand) => {
      const isAllowed = (pid: number): boolean =>
        withMaps(stand, ({ verdicts }) => verdicts.entries().some(([key]) => Number(key.a) === pid));
      const shell = stand.spawn('/bin/bash', ['-c', `${process.execPath} ${stand.main} status; read end`]);
      await until('it is protected', () => isAllowed(shell.pid));
      await shell.kill('SIGKILL');
      await until('the kernel has forgotten it, and been told again', () => isAllowed(shell.pid));
      expect(await repairsOf(stand)).toBe(0);
    }));

  it('another program in our link gives way to ours', () =>
    withDenied(async (stand, attacker) => {
      const link = native().linkOpen(join(stand.pin, 'links/kg_connect4'));
      const foreign = foreignProgram();
      native().linkUpdate(link, foreign.object, FOREIGN);
      native().linkClose(link);
      await until('it is denied again', async () => (await attacker.step()) === 'denied');
      await expectRepaired(stand, /^drift: the link of kg_connect4 was given another program; put right$/);
      foreign.close();
    }));
});

it('is degraded, and says why once, while a program of others keeps it from repairing', () =>
  withDenied(async (stand, attacker) => {
    const foreign = foreignProgram();
    await until('the others were quicker', () => {
      bpftool('link', 'detach', 'id', String(linkId(stand, 'kg_connect4')));
      return foreign.attach(stand.cgroup);
    });
    await until('it is degraded', async () => (await statusOf(stand)).degraded.length > 0);
    await until('seconds went by', async () => (await attacker.step()) === 'passed');
    const { degraded, foreign: listed } = await statusOf(stand);
    expect(degraded).toEqual([
      expect.stringMatching(/kg_connect4 was detached, and cannot be put right: .*foreign_pass/),
    ]);
    expect(listed).toMatchObject([
      { program: 'foreign_pass', attach: 'connect4', how: 'alone', blocks: true },
    ]);
    expect((await stand.cli('status')).code).toBe(6);
    const refused = await stand.cli('mode', 'enforce');
    expect(refused).toMatchObject({ code: 6, stderr: expect.stringMatching(/the canary got OK/) });
    foreign.detach(stand.cgroup);
    await stand.agent?.line(/^drift: kg_connect4 was detached; put right$/);
    expect((await stand.cli('mode', 'enforce')).code).toBe(0);
    expect((await statusOf(stand)).degraded).toEqual([]);
    expect(await stand.attack('loop', 20)).toEqual({ passed: 5, denied: 15, other: 0 });
    expect(stand.agent?.lines.filter((line) => /^drift: .*cannot be put right/.test(line))).toHaveLength(1);
    foreign.close();
  }));

afterEach(() => {
  /* a test of the file system that failed must not take it from those after it */
  const bpffs = process.env.KERNGATE_TEST_BPFFS ?? '';
  if (!existsSync(bpffs)) mkdirSync(bpffs);
  const isMounted = execFileSync('stat', ['-f', '-c', '%T', bpffs], { encoding: 'utf8' }).trim() === 'bpf_fs';
  if (!isMounted) execFileSync('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', bpffs]);
});

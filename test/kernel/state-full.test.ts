/** The state folder's disk fills up while the agent runs: what must be denied is denied, and it is told. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { audited, blockedStepper, blocks, expectStep, killAgent } from './life.js';
import { burst, type Stand, until, withStand } from './stand.js';

const POLICY = burst({ within: '10m' });

/** A stand whose state folder is a disk of 256 KiB. */
const withSmallDisk = (work: (stand: Stand) => Promise<void>): Promise<void> =>
  withStand(async (stand) => {
    mkdirSync(stand.state);
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', stand.state]);
    try {
      await work(stand);
    } finally {
      await killAgent(stand);
      execaSync('umount', [stand.state]);
    }
  });

/** Fills the disk to the last byte; answers what gives the room back. */
const fill = (stand: Stand): (() => void) => {
  const path = join(stand.state, 'ballast');
  for (const size of [4096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch {
      // Full for blocks of this size.
    }
  }
  return () => rmSync(path);
};

/** Files end inside a block: their slack is used up by what is written now. */
const useUpSlack = async (stand: Stand): Promise<Status> => {
  let status: Status | undefined;
  await until('the disk is full for journal and audit log', async () => {
    const line = ['--reason', 'a line of some length '.repeat(10)];
    expect((await stand.cli('allow', 'add', 'unit:none.service', ...line)).code).toBe(0);
    status = await stand.json<Status>('status');
    return status.degraded.length >= 2;
  });
  return status as Status;
};

it('goes on enforcing, says what is wrong, and recovers', () =>
  withSmallDisk(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const makeRoom = fill(stand);
    const { degraded } = await useUpSlack(stand);
    expect(degraded).toContainEqual(expect.stringContaining('the journal cannot be written'));
    expect(degraded).toContainEqual(expect.stringMatching(/the audit log cannot be written: .*ENOSPC/));
    expect((await stand.cli('status')).code).toBe(6);

    const attacker = await blockedStepper(stand);
    const victim = stand.connector('step', 0);
    expect((await stand.cli('block', '--pid', String(victim.pid))).code).toBe(0);
    await expectStep(victim, 'denied');
    writeFileSync(stand.policyFile, `${POLICY}---\n${burst({ name: 'new', limit: 2, on: 'send' })}`);
    expect((await stand.cli('policy', 'reload')).code).toBe(0);
    expect(await stand.attack('send', 20)).toEqual({ passed: 2, denied: 18, other: 0 });
    expect((await stand.cli('unblock', '--pid', String(victim.pid))).code).toBe(0);
    await expectStep(victim, 'passed');

    makeRoom();
    await until('all is well again', async () => (await stand.cli('status')).code === 0);
    expect(audited(stand, 'lost').at(-1)).toMatchObject({ lines: expect.any(Number) });
    const names = Object.values(JSON.parse(readFileSync(join(stand.state, 'rules.json'), 'utf8')));
    expect(names.sort()).toEqual(['burst', 'new']);
    const before = await blocks(stand);
    await killAgent(stand);
    await stand.start({ mode: 'enforce' });
    expect((await blocks(stand)).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    await expectStep(attacker, 'denied');
    await expectStep(victim, 'passed');
  }));

it('panics on a full disk, with the agent and without it', () =>
  withSmallDisk(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    const attacker = await blockedStepper(stand);
    const makeRoom = fill(stand);
    await useUpSlack(stand);
    expect((await stand.cli('panic')).code).toBe(0);
    await expectStep(attacker, 'passed');
    expect(await stand.json<Status>('status')).toMatchObject({ mode: 'audit', panic: true });
    makeRoom();
    await killAgent(stand);
    const fillAgain = fill(stand);
    const { stderr } = await stand.cli('panic');
    expect(stderr).toContain('journal');
    fillAgain();
    const agent = await stand.start({ mode: 'enforce' });
    expect(await agent.line(/^ready /)).toMatch(/^ready mode=audit panic /);
  }));

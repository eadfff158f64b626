/** Enforcement levels: the strongest that holds is taken, a forced one is proven or refused, restarts keep it. */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { linkPath, programPath } from '../../src/kernel/links.js';
import { native } from '../../src/kernel/native.js';
import type { Decision, Level } from '../../src/model/decision.js';
import { UNIT_RIGHTS } from '../native/unit-rights.js';
import { countersOf, QUIET } from './acting.js';
import {
  GUARD,
  gated,
  hooksOf,
  isHeld,
  LEVELS,
  loadFamilies,
  startAt,
  startTrying,
  strongest,
  tryAll,
} from './at-level.js';
import { audited, expectStep } from './life.js';
import { burst, type Stand, until, withStand } from './stand.js';

beforeAll(loadFamilies);

const linkId = (stand: Stand, program: string): number => {
  const link = native().linkOpen(linkPath(stand.pin, program));
  const { id } = native().linkInfo(link);
  native().linkClose(link);
  return id;
};

const openOf = async (stand: Stand): Promise<string> =>
  (await stand.json<{ open: string[] }>('status')).open.join('; ');

const pinned = (stand: Stand): string[] =>
  Object.values(GUARD).filter((name) => name !== '' && existsSync(linkPath(stand.pin, name)));

it('auto takes the strongest level that holds on this kernel, and says so everywhere', () =>
  withStand(async (stand) => {
    const level = await strongest();
    const agent = await stand.start({ mode: 'enforce', policy: burst(), args: ['--level', 'auto'] });
    expect(await agent.line(/^ready /)).toContain(` level=${level} `);
    const status = await stand.json<{ level: Level; degraded: string[] }>('status');
    expect(status).toMatchObject({ level, degraded: [] });
    const guards = (await hooksOf(stand)).filter((name) => /^kg_(lsm|fmod)_/.test(name));
    expect(guards).toEqual(GUARD[level] === '' ? [] : [GUARD[level]]);
    const attacker = stand.connector('watch', 0);
    await attacker.line(/^denied$/);
    expect((await stand.json<Decision[]>('blocks')).map((block) => block.level)).toEqual([level]);
  }));

it('doctor tries each level, beside an agent, and says what stays open', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst(), args: ['--level', 'auto'] });
    const rows =
      await stand.json<{ check: string; state: string; detail: string; remedy?: string }[]>('doctor');
    for (const level of LEVELS) {
      const row = rows.find(({ check }) => check === `level ${level}`);
      const wanted = (await isHeld(level)) ? ['ok', /EPERM/] : ['note', /^does not hold: \S/];
      expect([row?.state, row?.detail]).toEqual([wanted[0], expect.stringMatching(wanted[1] ?? '')]);
    }
    // What attaches and never runs tells its remedy in its detail; what is refused, in a column.
    const refused = rows.filter(({ detail }) => /^does not hold: cannot/.test(detail));
    for (const { detail, remedy } of refused)
      expect([detail, remedy]).toEqual([
        expect.stringMatching(/; \S.* (?:CONFIG_|function)/),
        expect.any(String),
      ]);
    const open = rows.filter(({ check }) => check.startsWith('open at level'));
    expect(open.map(({ check }) => check)).toEqual([`open at level ${await strongest()}`]);
    expect(await stand.json('status')).toMatchObject({ degraded: [] });
  }));

describe.each(LEVELS)('level %s', (level) => {
  it('counts every attempt once: five of 10,000 pass, 9,995 are hits of the block', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: burst() }))) return;
      const attacker = stand.connector('loop', 10_000);
      expect(await attacker.line(/^passed/)).toBe('passed 5 denied 9995 other 0');
      await until('its block ended with it', () => audited(stand, 'lifted').length > 0);
      expect(audited(stand, 'lifted')).toMatchObject([{ decision: { hits: 9995, level } }]);
      const counters = await countersOf(stand);
      // The canaries of gate and guard are among them.
      expect(counters.denied).toBe(9995 + (level === 'cgroup' ? 1 : 2));
      // The gate refused the crossing; all that came after met the guard, as its canary did.
      expect(counters.guard_hits).toBe(level === 'cgroup' ? 0 : 9994 + 1);
    }));

  it('refuses a blocked process on every way it names as closed', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: QUIET }))) return;
      const actor = await startTrying(stand);
      const before = await tryAll(actor);
      expect(before.denied).toEqual([]);
      await stand.cli('block', '--pid', String(actor.pid));
      const after = await tryAll(actor);
      expect(after.denied).toEqual(level === 'cgroup' ? gated(before.open) : before.open);
      expect(before.open).toContain('raw');
      expect((await openOf(stand)).includes('vsock')).toBe(level === 'cgroup');
    }));

  it('goes on without the agent, is adopted, and opens at once', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: QUIET }))) return;
      const actor = await startTrying(stand);
      const { open } = await tryAll(actor);
      await stand.cli('block', '--pid', String(actor.pid));
      const id = level === 'cgroup' ? 0 : linkId(stand, GUARD[level]);
      await stand.agent?.kill('SIGKILL');
      const { denied } = await tryAll(actor);
      expect(denied).toEqual(level === 'cgroup' ? gated(open) : open);
      expect(await startAt(stand, level)).toBe(true);
      if (level !== 'cgroup') expect(linkId(stand, GUARD[level])).toBe(id);
      expect((await tryAll(actor)).denied).toEqual(denied);
      await stand.agent?.kill('SIGKILL');
      const lifted = JSON.parse((await stand.cli('-o', 'json', 'unblock', '--all')).stdout) as Decision[];
      expect(lifted.map((decision) => decision.level)).toEqual([level]);
      expect(await tryAll(actor)).toEqual({ denied: [], open });
    }));
});

it('claims no level under a panic, and takes it when that ends', () =>
  withStand(async (stand) => {
    const level = await strongest();
    expect(await startAt(stand, level, { policy: QUIET })).toBe(true);
    await stand.agent?.kill('SIGKILL');
    await stand.cli('panic');
    const agent = await stand.start({ mode: 'enforce', args: ['--level', level] });
    expect(await agent.line(/^ready /)).toMatch(/^ready mode=audit panic level=cgroup /);
    const actor = await startTrying(stand);
    await stand.cli('block', '--pid', String(actor.pid));
    const { open, denied } = await tryAll(actor);
    expect(denied).toEqual([]);
    expect((await stand.cli('mode', 'enforce')).code).toBe(0);
    expect(await stand.json('status')).toMatchObject({ level, degraded: [] });
    await stand.cli('unblock', '--all');
    await stand.cli('block', '--pid', String(actor.pid));
    expect((await tryAll(actor)).denied).toEqual(level === 'cgroup' ? gated(open) : open);
  }));

it('knows what the guard missed with the rights of the service unit, or says that it does not', () =>
  withStand(async (stand) => {
    const level = await strongest();
    const told = async (): Promise<unknown> => {
      expect(await startAt(stand, level, { policy: QUIET, under: UNIT_RIGHTS })).toBe(true);
      const { counters, unknown } = await stand.json<Status>('status');
      await stand.agent?.kill('SIGKILL');
      return [typeof counters.guard_missed, unknown];
    };
    expect([await told(), await told()]).toEqual([
      ['number', undefined],
      ['number', undefined],
    ]);
    rmSync(programPath(linkPath(stand.pin, GUARD[level])), { force: true });
    const lost = ['undefined', { guard_missed: expect.stringMatching(/CAP_SYS_ADMIN is missing/) }];
    expect(await told()).toEqual(level === 'cgroup' ? ['number', undefined] : lost);
  }));

describe('a change of level', () => {
  it('leaves the guard of the new level and no other, from each to each', () =>
    withStand(async (stand) => {
      const way = ['lsm', 'fmod_ret', 'cgroup', 'fmod_ret', 'lsm', 'cgroup', 'lsm'] as const;
      let taken = 0;
      for (const level of way) {
        if (!(await isHeld(level))) continue;
        expect(await startAt(stand, level, { policy: QUIET })).toBe(true);
        expect(pinned(stand)).toEqual([GUARD[level]].filter(Boolean));
        await stand.agent?.kill('SIGKILL');
        taken++;
      }
      expect(taken).toBeGreaterThanOrEqual(2);
    }));

  it('takes away what an agent left that was killed between two steps', () =>
    withStand(async (stand) => {
      const from = await strongest();
      expect(await startAt(stand, from, { policy: burst() })).toBe(true);
      const actor = await startTrying(stand);
      await stand.cli('block', '--pid', String(actor.pid));
      await stand.agent?.kill('SIGKILL');
      const path = linkPath(stand.pin, GUARD[from]);
      if (from !== 'cgroup') renameSync(path, `${path}_new`);
      expect(await startAt(stand, 'cgroup')).toBe(true);
      expect([existsSync(path) && from !== 'cgroup', existsSync(`${path}_new`)]).toEqual([false, false]);
      expect((await tryAll(actor)).denied).toContain('tcp');
      expect((await hooksOf(stand)).filter((program) => /^kg_(lsm|fmod)_/.test(program))).toEqual([]);
    }));

  it('that fails changes nothing: the level before stays in force', () =>
    withStand(async (stand) => {
      const level = await strongest();
      const absent = (['lsm', 'fmod_ret'] as const).find((other) => other !== level);
      expect(await startAt(stand, level, { policy: burst() })).toBe(true);
      const attacker = stand.connector('step', 0);
      await stand.cli('block', '--pid', String(attacker.pid));
      await stand.agent?.kill('SIGKILL');
      if (absent !== undefined && !(await isHeld(absent))) {
        const agent = stand.launch({ mode: 'enforce', args: ['--level', absent] });
        await expect(agent.line(/^ready /)).rejects.toThrow(`level ${absent} does not hold`);
        expect(agent.child.exitCode).toBe(6);
      }
      expect(pinned(stand)).toEqual([GUARD[level]].filter(Boolean));
      await expectStep(attacker, 'denied');
    }));
});

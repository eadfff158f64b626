/** `kerngate selftest`: what it says, and that nothing of it is left, however it ends. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selftestOf } from './selftest.js';
import { type Stand, until, withStand } from './stand.js';

let scratch = '';
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kerngate-selftest-test-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** Nothing of the stand's own is shown to it but the cgroup it may make its own in. */
const start = (stand: Stand, ...args: string[]) =>
  execa(process.execPath, [stand.main, 'selftest', '--deny', 'new', '--no-sever', ...args], {
    env: { KERNGATE_CGROUP_ROOT: stand.cgroup, TMPDIR: scratch },
    all: true,
    reject: false,
    stdin: 'ignore',
  });

const environment = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return ''; // gone meanwhile
  }
};

/** Everything of a self-test that could stay: files, cgroups, processes, mounts. */
const remains = (stand: Stand) => ({
  files: readdirSync(scratch),
  cgroups: readdirSync(stand.cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
  processes: readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environment(pid).includes(`TMPDIR=${scratch}\0`)),
  mounts: readFileSync('/proc/self/mounts', 'utf8').match(/kerngate-selftest-\w{6}\/bpf/g) ?? [],
});
const nothing = { files: [], cgroups: [], processes: [], mounts: [] };

/** The innocent side is there: attempts have begun. */
const hasBegun = (stand: Stand): boolean =>
  readdirSync(stand.cgroup).some((name) => existsSync(join(stand.cgroup, name, 'subject')));

describe('kerngate selftest', () => {
  it('tells what is denied, and what is open by design with the reason', () =>
    withStand(async (stand) => {
      const report = await selftestOf(stand, 'new', false, ['tcp4', 'preforked', 'est-send', 'tcp-x32']);
      expect(report.ways).toMatchObject([
        { way: 'tcp4', family: 'tcp', result: 'denied', errno: 'EPERM', promised: true },
        { way: 'tcp-x32', result: 'not on this kernel', promised: true },
        { way: 'est-send', result: 'escaped', promised: false },
        { way: 'preforked', result: 'denied', errno: 'EPERM', promised: true },
      ]);
      expect(report.ways[1]?.reason).toMatch(/ENOSYS/);
      expect(report.ways[2]?.reason).toMatch(/^open by design: /);
      expect(report.counts).toEqual({
        tried: 4,
        denied: 2,
        open_by_design: 1,
        broken: 0,
        not_on_this_kernel: 1,
      });
      expect(readdirSync(stand.cgroup).filter((name) => name.includes('selftest'))).toEqual([]);
    }));

  it('goes without a trace, and says it in words', () =>
    withStand(async (stand) => {
      const { all, exitCode } = await start(stand, 'tcp4', 'fork');
      expect(exitCode, all).toBe(0);
      expect(all).toMatch(/^fork +identity +denied +EPERM/m);
      expect(all).toMatch(/2 of 2 ways denied at level \w+ .* 0 open against the promise/);
      expect(remains(stand)).toEqual(nothing);
    }));

  it.each(['SIGINT', 'SIGTERM'] as const)('cleans up after %s', (signal) =>
    withStand(async (stand) => {
      const run = start(stand);
      await until('attempts have begun', () => hasBegun(stand));
      run.kill(signal);
      const { all, exitCode } = await run;
      expect([exitCode, all]).toEqual([1, `kerngate: interrupted (${signal})`]);
      await until('its processes have ended', () => remains(stand).processes.length === 0);
      expect(remains(stand)).toEqual(nothing);
    }),
  );

  it('removes what a killed run left, and ends its agent', () =>
    withStand(async (stand) => {
      const run = start(stand);
      await until('attempts have begun', () => hasBegun(stand));
      run.kill('SIGKILL');
      await run;
      expect(remains(stand).files).toHaveLength(1);
      await until('its processes have ended', () => remains(stand).processes.length === 0);
      expect((await start(stand, 'tcp4')).exitCode).toBe(0);
      expect(remains(stand)).toEqual(nothing);
    }));

  it('knows its ways, and says so', () =>
    withStand(async (stand) => {
      const { all, exitCode } = await start(stand, 'tcp4', 'carrier-pigeon');
      expect(exitCode).toBe(2);
      expect(all).toMatch(/no way is called carrier-pigeon.*tcp6/s);
      expect(remains(stand)).toEqual(nothing);
    }));
});

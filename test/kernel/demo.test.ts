/** `npm run demo`: what it shows is true, and nothing of it is left, however it ends. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until, withStand } from './stand.js';

const SCRIPT = fileURLToPath(new URL('../../scripts/demo', import.meta.url));
const BPFFS = '/sys/fs/bpf';

let scratch = '';
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kerngate-demo-test-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const start = (cgroup: string, env: Record<string, string> = {}) =>
  execa(SCRIPT, [], {
    env: { KERNGATE_CGROUP_ROOT: cgroup, TMPDIR: scratch, ...env },
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

/** Everything of a demonstration that could stay: files, cgroups, processes, mounts, pins. */
const remains = (cgroup: string) => ({
  files: readdirSync(scratch),
  cgroups: readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
  processes: readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => environment(pid).includes(`TMPDIR=${scratch}\0`)),
  mounts: readFileSync('/proc/self/mounts', 'utf8').match(/kerngate-demo-\w{6}/g) ?? [],
  pins: readdirSync(BPFFS).filter((name) => name.includes('demo')),
});
const nothing = { files: [], cgroups: [], processes: [], mounts: [], pins: [] };

describe('npm run demo', () => {
  it('shows attack, denial, reason and unblock in plain text, and goes without a trace', () =>
    withStand(async ({ cgroup }) => {
      const { all, exitCode } = await start(cgroup, { NO_COLOR: '1' });
      expect(exitCode, all).toBe(0);
      expect(all.match(/^ {3}[1-5] {2}connected$/gm)).toHaveLength(5 + 2);
      expect(all.match(/^ {3}[678] {2}bash: connect: Operation not permitted$/gm)).toHaveLength(3);
      expect(all).toMatch(/window +6 events \(connect\) in 10s, limit 5/);
      expect(all.match(/ connect 127\.0\.0\.1:\d+ {2}passed$/gm)).toHaveLength(5);
      expect(all.match(/ connect 127\.0\.0\.1:\d+ {2}refused$/gm)).toHaveLength(1);
      expect(all).toMatch(/decided +in the kernel, in the very call/);
      const [, id = ''] = /lift +kerngate unblock ([0-9a-f]{16})$/m.exec(all) ?? [];
      expect(all).toContain(`$ kerngate unblock ${id}\n`);
      expect(all).not.toContain('\u001b');
      expect(remains(cgroup)).toEqual(nothing);
    }));

  const moments = [
    ['SIGINT', /^ {3}1 {2}connected/m],
    ['SIGTERM', /^ {3}\$ kerngate blocks/m],
    ['SIGHUP', /^kerngate demo/m],
  ] as const;
  for (const [signal, moment] of moments) {
    it(`cleans up after ${signal} at ${moment}`, () =>
      withStand(async ({ cgroup }) => {
        const demo = start(cgroup);
        let seen = '';
        demo.all.on('data', (text) => {
          seen += text;
        });
        await until('the moment has come', () => moment.test(seen));
        demo.kill(signal);
        expect((await demo).exitCode).toBe(130);
        expect(seen).toContain('nothing was left behind');
        // A process that was killed needs a moment to go on a loaded machine.
        await until('its processes have ended', () => remains(cgroup).processes.length === 0);
        expect(remains(cgroup)).toEqual(nothing);
      }));
  }

  it('cleans up when the agent cannot start, and says why', () =>
    withStand(async ({ cgroup }) => {
      const file = join(cgroup, 'cgroup.procs');
      const { all, exitCode } = await start(file);
      expect(exitCode).toBe(1);
      expect(all).toMatch(/demonstration failed: .*ENOTDIR/);
      expect(remains(cgroup)).toEqual(nothing);
    }));

  it('says what it needs when it is not root', async () => {
    const { all, exitCode } = await execa('unshare', ['--user', SCRIPT], { all: true, reject: false });
    expect(exitCode).toBe(1);
    expect(all).toMatch(/needs root.*sudo npm run demo/s);
  });
});

/** What a careless operator does to the agent: a reader that stops, a full disk, odd paths. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdirSync, openSync, rmdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import type { Decision } from '../../src/model/decision.js';
import { burst, until, withStand } from './stand.js';

const MAIN = join(import.meta.dirname, '../../dist/main.js');

/** A pipe that is full and that nobody reads; answers its reading and its writing end. */
const stuckPipe = (path: string): { reader: number; writer: number } => {
  execaSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(reader, Buffer.alloc(4096));
  } catch {
    /* full */
  }
  return { reader, writer: openSync(path, constants.O_WRONLY) };
};

/** The writing end of a pipe whose reader went away. */
const closedPipe = (path: string): number => {
  execaSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY);
  closeSync(reader);
  return writer;
};

it('works on while nobody reads what it says, and stops when told', () =>
  withStand(async (stand) => {
    const { reader, writer } = stuckPipe(join(stand.dir, 'stuck'));
    writeFileSync(stand.policyFile, burst());
    const agent = spawn(process.execPath, [MAIN, 'run', '--policy', stand.policyFile], {
      env: stand.env(),
      stdio: ['ignore', writer, 'ignore'],
    });
    try {
      await until('it answers', async () => (await stand.cli('status')).code === 0);
      agent.kill('SIGTERM');
      expect(await once(agent, 'exit')).toEqual([0, null]);
    } finally {
      agent.kill('SIGKILL');
      closeSync(reader);
      closeSync(writer);
    }
  }));

it.each(['a pipe nobody reads any more', 'a full disk'])('works on while stdout is %s', (what) =>
  withStand(async (stand) => {
    writeFileSync(stand.policyFile, burst());
    const out = what === 'a full disk' ? openSync('/dev/full', 'w') : closedPipe(join(stand.dir, 'closed'));
    const agent = spawn(process.execPath, [MAIN, 'run', '--policy', stand.policyFile], {
      env: stand.env(),
      stdio: ['ignore', out, 'ignore'],
    });
    closeSync(out);
    try {
      const dropped = async () =>
        JSON.parse((await stand.cli('status', '-o', 'json')).stdout || '{}').counters;
      await until('it answers and counts', async () => (await dropped())?.lines_dropped > 0);
      agent.kill('SIGTERM');
      expect(await once(agent, 'exit')).toEqual([0, null]);
    } finally {
      agent.kill('SIGKILL');
    }
  }),
);

it('takes everything back on a disk that is full', () =>
  withStand(async (stand) => {
    mkdirSync(stand.state);
    execaSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=0700', 'tmpfs', stand.state]);
    try {
      await stand.start({ mode: 'enforce', policy: burst() });
      const attacker = stand.connector('watch', 0);
      await attacker.line(/^denied$/);
      const fd = openSync(join(stand.state, 'ballast'), 'w');
      for (const size of [4096, 1]) {
        try {
          for (;;) writeSync(fd, Buffer.alloc(size));
        } catch {
          /* full for blocks of this size */
        }
      }
      closeSync(fd);
      expect(await stand.cli('panic')).toMatchObject({ code: 0, stderr: '' });
      expect(await stand.json<Decision[]>('blocks')).toEqual([]);
    } finally {
      await stand.agent?.kill('SIGKILL');
      execaSync('umount', [stand.state]);
    }
  }));

describe('paths of cgroups', () => {
  it('have no way round: the scope is the folder meant, a block the cgroup meant', () =>
    withStand(async (stand) => {
      const inner = stand.makeCgroup('inner');
      const odd = `${inner}/../inner/`;
      await stand.start({ mode: 'enforce', policy: burst(), args: ['--cgroup-root', odd] });
      expect((await stand.json<Status>('status')).scope).toBe(inner);
      const attacker = stand.connectorIn(inner, 'watch', 0);
      await attacker.line(/^denied$/);
      const { code } = await stand.cli('block', '--cgroup', '/../../../etc');
      expect(code).toBe(3);
      await stand.cli('block', '--cgroup', `${inner}/../inner`);
      const blocks = await stand.json<Decision[]>('blocks');
      expect(blocks.map(({ subject }) => subject.name)).toContain(inner.slice(inner.indexOf('/kerngate-')));
    }));

  it('deeper than the hooks compare are refused', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst() });
      const made: string[] = [];
      for (let path = stand.cgroup; made.length < 31; ) {
        path = join(path, 'd');
        mkdirSync(path);
        made.push(path);
      }
      try {
        expect((await stand.cli('block', '--cgroup', made[30] ?? '')).stderr).toMatch(/deeper/);
        expect((await stand.cli('block', '--cgroup', made[29] ?? '')).code).toBe(0);
      } finally {
        for (const path of made.reverse()) rmdirSync(path);
      }
    }));
});

it('refuses an allow entry that names nothing, before it touches the kernel', () =>
  withStand(async (stand) => {
    const config = 'allow:\n  - {subject: "user:root", reason: mine}\n';
    await expect(stand.start({ policy: burst(), config })).rejects.toThrow(/kerngate\.yaml:2/);
  }));

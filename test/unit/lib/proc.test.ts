/** Processes are read rightly whatever they call themselves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ancestors,
  auditIds,
  bootId,
  lineageRoots,
  lineageSeeds,
  parseStat,
  processes,
  readArgs,
  readExe,
  readStat,
  splitArgs,
  startTickOf,
} from '../../../src/lib/proc.js';

let folder: string;
let children: ChildProcess[];

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'kg-proc-')));
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(folder, { recursive: true });
});

/** Starts `sleep` under a name of its own and returns once it is that program. */
const sleeper = async (name: string, args: string[] = ['60']): Promise<number> => {
  const path = join(folder, name);
  copyFileSync(realpathSync('/bin/sleep'), path);
  const child = spawn(path, args, { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return child.pid as number;
};

const statLine = (pid: number, comm: string, ppid: number, tick: number): string =>
  `${pid} (${comm}) S ${ppid} ${'0 '.repeat(17)}${tick} 0 0\n`;

describe('parseStat', () => {
  it('takes the name up to the last parenthesis', () => {
    expect(parseStat(statLine(7, 'a) S 1 (b', 3, 99))).toEqual({
      pid: 7,
      comm: 'a) S 1 (b',
      state: 'S',
      ppid: 3,
      startTick: 99,
    });
  });

  it('reads back any name', () => {
    const number = fc.nat({ max: 2 ** 31 });
    const comm = fc.string({ unit: fc.constantFrom('(', ')', ' ', '\n', '1', 'S', 'é'), maxLength: 15 });
    fc.assert(
      fc.property(number, comm, number, number, (pid, comm, ppid, tick) => {
        expect(parseStat(statLine(pid, comm, ppid, tick))).toEqual({
          pid,
          comm,
          state: 'S',
          ppid,
          startTick: tick,
        });
      }),
    );
  });

  it.each(['', 'x', '1 (a', '1 a) S 2', ') 1 (', '1 (a) S x', '1 (a) S 1 2 3'])('refuses %j', (text) => {
    expect(parseStat(text)).toBeUndefined();
  });
});

describe('a real process', () => {
  it.each(['a) b (c', 'x\n9 (y) Z 1', ') R 1 1'])('named %j', async (name) => {
    const pid = await sleeper(name);
    expect(readStat(pid)).toMatchObject({ pid, comm: name, ppid: process.pid });
    expect(readExe(pid)).toBe(join(folder, name));
    expect(readArgs(pid)).toEqual([join(folder, name), '60']);
  });

  it('starts no earlier than its parent', async () => {
    const pid = await sleeper('later');
    expect(startTickOf(pid)).toBeGreaterThanOrEqual(startTickOf(process.pid) as number);
  });

  it('keeps the name of an executable that was deleted', async () => {
    const pid = await sleeper('gone');
    unlinkSync(join(folder, 'gone'));
    expect(readExe(pid)).toBe(join(folder, 'gone'));
  });

  it('has its arguments read in part when there are many', async () => {
    const pid = await sleeper('long', ['60', ...Array.from({ length: 500 }, () => '0.0000000001')]);
    const text = readArgs(pid).join('\0');
    expect(text.length).toBe(4096);
    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(text)).toBe(true);
  });

  it('answers nothing once it is gone', async () => {
    const pid = await sleeper('short', ['0']);
    await once(children[0] as ChildProcess, 'exit');
    expect(readStat(pid)).toBeUndefined();
    expect(readExe(pid)).toBe('');
    expect(readArgs(pid)).toEqual([]);
    expect(ancestors(pid)).toEqual([]);
    expect(auditIds(pid)).toEqual({ loginUid: -1, session: -1 });
  });

  it('has us as its first ancestor and PID 1 as its last', async () => {
    const line = ancestors(await sleeper('child'));
    expect(line[0]).toEqual({
      pid: process.pid,
      startTick: startTickOf(process.pid),
      comm: readStat(process.pid)?.comm,
      exe: realpathSync(process.execPath),
    });
    expect(line.at(-1)?.pid).toBe(1);
    expect(processes()).toEqual(expect.arrayContaining(line.map((ancestor) => ancestor.pid)));
  });
});

describe('lineage', () => {
  it('begins at the child of a launcher', async () => {
    const shell = spawn('/bin/sh', ['-c', 'sleep 60 & echo $!; wait'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(shell);
    const [line] = await once(shell.stdout, 'data');
    const grandchild = Number(String(line));
    const root = { pid: shell.pid as number, startTick: startTickOf(shell.pid as number) };
    const seeds = lineageSeeds((pid) => pid === process.pid);
    expect(seeds.get(`${grandchild}@${startTickOf(grandchild)}`)).toEqual(root);
    expect(seeds.get(`${shell.pid}@${root.startTick}`)).toEqual(root);
    expect(seeds.get(`${process.pid}@${startTickOf(process.pid)}`)).not.toEqual(root);
    process.kill(grandchild, 'SIGKILL');
  });

  it('begins at the child of PID 1 when there is no launcher, and PID 1 has none', async () => {
    const pid = await sleeper('plain');
    const seeds = lineageSeeds(() => false);
    const top = ancestors(pid).at(-2);
    expect(seeds.get(`${pid}@${startTickOf(pid)}`)).toEqual({ pid: top?.pid, startTick: top?.startTick });
    expect([...seeds.keys()].filter((key) => key.startsWith('1@'))).toEqual([]);
  });
});

describe('a list of processes read while ids were reused', () => {
  const roots = (...rows: [pid: number, ppid: number, tick: number][]): string[] =>
    [
      ...lineageRoots(
        rows.map(([pid, ppid, startTick]) => ({ pid, ppid, startTick, comm: 'x', state: 'S' })),
        (pid) => pid === 50,
      ),
    ].map(([key, root]) => `${key} ${root.pid}@${root.startTick}`);

  it('believes no parent that is younger than its child', () => {
    expect(roots([20, 1, 900], [30, 20, 100])).toEqual(['20@900 20@900', '30@100 30@100']);
  });

  it('comes to an end when two claim to be the parent of each other', () => {
    expect(roots([20, 30, 5], [30, 20, 5], [40, 30, 6])).toHaveLength(3);
  });

  it('stops below a launcher, and at those whose parent is unseen', () => {
    expect(roots([50, 1, 1], [51, 50, 2], [52, 51, 3], [60, 0, 1], [61, 60, 2], [70, 69, 9])).toEqual([
      '50@1 50@1',
      '51@2 51@2',
      '52@3 51@2',
      '60@1 60@1',
      '61@2 60@1',
      '70@9 70@9',
    ]);
  });
});

describe('small things', () => {
  it('splits arguments at NUL and drops what a rewritten title leaves behind', () => {
    const bytes = (text: string): Uint8Array => Buffer.from(text);
    expect(splitArgs(bytes('a\0b c\0'))).toEqual(['a', 'b c']);
    expect(splitArgs(bytes('a\0\0b\0'))).toEqual(['a', '', 'b']);
    expect(splitArgs(bytes('sshd: root@pts/0\0\0\0\0'))).toEqual(['sshd: root@pts/0']);
    expect(splitArgs(bytes('\0\0'))).toEqual([]);
  });

  it('knows the boot and the audit session', () => {
    expect(bootId()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    const text = readFileSync('/proc/self/sessionid', 'utf8').trim();
    expect(auditIds(process.pid).session).toBe(text === '4294967295' ? -1 : Number(text));
  });
});

/** What is known of a process: from its events, from /proc while it lives, and within bounds. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessTable } from '../../../src/enrich/process-table.js';
import { ReadBudget } from '../../../src/enrich/read-budget.js';
import { readStat, startTickOf } from '../../../src/lib/proc.js';

/** Above the largest process id, so none of these can live. */
const DEAD = 2 ** 22 - 1;
const UNKNOWN = { comm: '', exe: '', cmdline: '' };
const SLEEP = realpathSync('/bin/sleep');
const BASH = realpathSync('/bin/bash');

let child: ChildProcess | undefined;
let folder: string | undefined;
let lookups: ReadBudget;

beforeEach(() => {
  lookups = new ReadBudget(10, () => 0);
});

afterEach(async () => {
  if (child?.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = undefined;
  if (folder) rmSync(folder, { recursive: true });
  folder = undefined;
});

const table = (bounds: { live?: number; gone?: number } = {}, execs = new ReadBudget(10, () => 0)) =>
  new ProcessTable({ lookups, execs, ...bounds });

const sleeper = async (path = SLEEP): Promise<{ pid: number; tick: number }> => {
  child = spawn(path, ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const pid = child.pid as number;
  return { pid, tick: startTickOf(pid) as number };
};

const end = async (): Promise<void> => {
  child?.kill('SIGKILL');
  await once(child as ChildProcess, 'exit');
};

describe('a process older than the agent', () => {
  it('is read from /proc once', async () => {
    const processes = table();
    const { pid, tick } = await sleeper();
    const facts = processes.process(pid, tick, 'sleep');
    expect(facts).toMatchObject({ comm: 'sleep', exe: SLEEP, cmdline: `${SLEEP} 60` });
    await end();
    expect(processes.process(pid, tick, 'sleep')).toBe(facts);
  });

  it('is unknown when its id has gone to another process', async () => {
    const processes = table();
    const { pid, tick } = await sleeper();
    expect(processes.process(pid, tick - 1, 'sleep')).toMatchObject(UNKNOWN);
    expect(processes.process(pid, tick, 'sleep').exe).toBe(SLEEP);
  });

  it('is asked for only once when it is gone', () => {
    const processes = table();
    for (let i = 0; i < 50; i++) expect(processes.process(DEAD, 5, 'x')).toMatchObject(UNKNOWN);
    expect(processes.counters.process_unknown).toBe(1);
    expect(lookups.refused).toBe(0);
  });
});

describe('exec', () => {
  it('prefers the path the kernel resolved', async () => {
    const processes = table();
    const { pid, tick } = await sleeper();
    processes.exec(pid, tick, 'sleep', './sleep', ['sleep', '60']);
    expect(processes.process(pid, tick, 'sleep')).toMatchObject({ exe: SLEEP, cmdline: 'sleep 60' });
  });

  it('takes the path asked for when the process is gone or another program by now', async () => {
    const processes = table();
    processes.exec(DEAD, 7, 'nc', '/bin/nc', ['nc', '-z', 'host']);
    expect(processes.process(DEAD, 7, 'nc')).toMatchObject({ exe: '/bin/nc', cmdline: 'nc -z host' });
    const { pid, tick } = await sleeper();
    processes.exec(pid, tick, 'sh', '/bin/sh', ['sh', '-c', 'exec sleep 60']);
    expect(processes.process(pid, tick, 'sleep').exe).toBe(realpathSync('/bin/sh'));
  });

  it('gives no relative path for an executable', () => {
    const processes = table();
    processes.exec(DEAD, 7, 'nc', './nc', ['./nc']);
    expect(processes.process(DEAD, 7, 'nc')).toMatchObject({ exe: '', cmdline: './nc' });
  });

  it('replaces what an earlier question found out', () => {
    const processes = table();
    expect(processes.process(DEAD, 7, 'nc').exe).toBe('');
    processes.exec(DEAD, 7, 'nc', '/bin/nc', []);
    expect(processes.process(DEAD, 7, 'nc').exe).toBe('/bin/nc');
  });

  it('reads /proc only within its budget', async () => {
    const none = new ReadBudget(0, () => 0);
    const processes = table({}, none);
    const { pid, tick } = await sleeper();
    processes.exec(pid, tick, 'sleep', '/asked/for', []);
    expect(processes.process(pid, tick, 'sleep').exe).toBe('/asked/for');
    expect(none.refused).toBe(1);
  });
});

describe('a process that became other programs', () => {
  it('is at each moment the one it was then', () => {
    const processes = table();
    processes.exec(DEAD, 7, 'sh', '/a/sh', ['sh'], 100);
    processes.exec(DEAD, 7, 'evil', '/a/evil', ['evil', '-x'], 200);
    processes.exec(DEAD, 7, 'true', '/a/true', ['true'], 300);
    processes.exit(DEAD, 7);
    const at = (ns?: number) => processes.process(DEAD, 7, '', ns).exe;
    expect([at(99), at(100), at(199), at(200), at(299), at(300), at()]).toEqual([
      '',
      '/a/sh',
      '/a/sh',
      '/a/evil',
      '/a/evil',
      '/a/true',
      '/a/true',
    ]);
  });

  it('is remembered for a few of them only', () => {
    const processes = table();
    for (let i = 1; i <= 100; i++) processes.exec(DEAD, 7, 'x', `/a/${i}`, [], i);
    expect(processes.process(DEAD, 7, 'x', 97).exe).toBe('/a/97');
    expect(processes.process(DEAD, 7, 'x', 96)).toMatchObject(UNKNOWN);
  });

  it('hands down to a child what it was at its birth', () => {
    const processes = table();
    processes.exec(DEAD, 7, 'sh', '/a/sh', ['sh'], 100);
    processes.fork(DEAD, 7, 'sh', DEAD - 1, 9);
    processes.exec(DEAD, 7, 'evil', '/a/evil', [], 200);
    expect(processes.process(DEAD - 1, 9, 'sh', 150).exe).toBe('/a/sh');
  });
});

describe('the name of a program nobody can ask any more', () => {
  it('is that of the file, not of a link to it', () => {
    const processes = table();
    const link = join(mkdtempSync(join(tmpdir(), 'kerngate-link-')), 'innocent');
    symlinkSync(BASH, link);
    processes.exec(DEAD, 7, 'innocent', link, []);
    expect(processes.process(DEAD, 7, 'innocent').exe).toBe(BASH);
    rmSync(dirname(link), { recursive: true });
  });

  it('is the one asked for when nothing but a zombie is left', async () => {
    const processes = table();
    // A shell that is stopped reaps nobody.
    child = spawn('sh', ['-c', `${SLEEP} 0 & echo $!; kill -STOP $$`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
    const pid = Number(String(line));
    while (readStat(pid)?.state !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
    processes.exec(pid, startTickOf(pid) as number, 'sleep', SLEEP, []);
    expect(processes.process(pid, startTickOf(pid) as number, 'sleep').exe).toBe(SLEEP);
  });

  it('is not taken from /proc, where it would be our own', () => {
    const processes = table();
    processes.exec(DEAD, 7, 'exe', '/proc/self/exe', []);
    expect(processes.process(DEAD, 7, 'exe').exe).toBe('');
  });
});

describe('fork', () => {
  it('hands down what the parent is, and the name of the thread that forked', () => {
    const processes = table();
    processes.exec(DEAD, 7, 'bash', BASH, ['bash']);
    processes.fork(DEAD, 7, 'worker', DEAD - 1, 9);
    expect(processes.nameOf(DEAD - 1, 9)).toBe('worker');
    expect(processes.process(DEAD - 1, 9, 'worker')).toMatchObject({ exe: BASH, cmdline: 'bash' });
    expect(processes.process(DEAD - 1, 10, 'worker')).toMatchObject(UNKNOWN);
  });

  it('is not believed when the name shows an exec we have not heard of yet', async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'kg-enrich-')));
    const path = join(folder, 'probe');
    copyFileSync(SLEEP, path);
    const processes = table();
    const { pid, tick } = await sleeper(path);
    processes.exec(DEAD, 7, 'bash', BASH, ['bash']);
    processes.fork(DEAD, 7, 'bash', pid, tick);
    processes.fork(DEAD, 7, 'bash', DEAD - 1, 9);
    expect(processes.process(pid, tick, 'probe').exe).toBe(path);
    expect(processes.process(DEAD - 1, 9, 'probe').exe).toBe('');
  });
});

describe('bounds', () => {
  it('keeps the dead apart, so that a flood of them evicts no living process', () => {
    const processes = table({ live: 4, gone: 8 });
    processes.exec(DEAD, 1, 'nginx', '/usr/sbin/nginx', []);
    for (let i = 0; i < 1000; i++) {
      processes.fork(DEAD, 1, 'nginx', i + 1, i + 2);
      processes.exit(i + 1, i + 2);
    }
    expect(processes.process(DEAD, 1, 'nginx').exe).toBe('/usr/sbin/nginx');
    expect(processes.process(1000, 1001, 'nginx').exe).toBe('/usr/sbin/nginx');
    expect(processes.counters).toMatchObject({ process_evicted: 0, process_gone_evicted: 992 });
  });

  it('counts what a flood of living children pushes out, and keeps their parent', () => {
    const processes = table({ live: 4 });
    processes.exec(DEAD, 1, 'bash', BASH, []);
    for (let i = 0; i < 100; i++) processes.fork(DEAD, 1, 'bash', i + 1, i + 2);
    expect(processes.process(DEAD, 1, 'bash').exe).toBe(BASH);
    expect(processes.counters.process_evicted).toBe(96);
  });

  it('answers unknown beyond the budget, without reading and without remembering it', async () => {
    let now = 0;
    lookups = new ReadBudget(1, () => now);
    const processes = table();
    processes.process(DEAD, 1, 'x');
    const { pid, tick } = await sleeper();
    expect(processes.process(pid, tick, 'sleep')).toMatchObject(UNKNOWN);
    expect(lookups.refused).toBe(1);
    now = 1000;
    expect(processes.process(pid, tick, 'sleep').exe).toBe(SLEEP);
  });

  it('has nothing to say of no process, and spends nothing on it', () => {
    lookups = new ReadBudget(0, () => 0);
    expect(table().process(0, 0, '')).toMatchObject(UNKNOWN);
    expect(lookups.refused).toBe(0);
  });
});

it('names processes without asking anybody', () => {
  const processes = table();
  expect(processes.nameOf(process.pid, startTickOf(process.pid) as number)).toBe('');
  processes.process(process.pid, startTickOf(process.pid) as number, readStat(process.pid)?.comm as string);
  expect(processes.nameOf(process.pid, startTickOf(process.pid) as number)).toBe(readStat(process.pid)?.comm);
});

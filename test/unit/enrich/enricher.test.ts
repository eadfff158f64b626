/** Control groups and users of this host, budgets, and what the enricher counts. */
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CgroupTable } from '../../../src/enrich/cgroup-table.js';
import { ProcEnricher } from '../../../src/enrich/enricher.js';
import { ReadBudget } from '../../../src/enrich/read-budget.js';
import { parsePasswd, UserTable } from '../../../src/enrich/user-table.js';
import { cgroup2Mount, cgroupIdOf, cgroupOf } from '../../../src/lib/cgroup-tree.js';
import { startTickOf } from '../../../src/lib/proc.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kg-enricher-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const idOf = (path: string): string => String(statSync(join(folder, path)).ino);

describe('groups', () => {
  let now: number;
  /** What passes between two looks at the clock. */
  let stepMs: number;
  const nowMs = (): number => {
    now += stepMs;
    return now;
  };
  const groups = (max = 100, perSecond = 100): CgroupTable =>
    new CgroupTable({ mount: folder, lookups: new ReadBudget(perSecond, () => now), nowMs, max });

  beforeEach(() => {
    now = 0;
    stepMs = 0;
    mkdirSync(join(folder, 'system.slice/nginx.service/worker'), { recursive: true });
  });

  it('are known from the start, with unit and container', () => {
    const id = '0123456789abcdef'.repeat(4);
    mkdirSync(join(folder, `docker/${id}`), { recursive: true });
    const known = groups();
    expect(known.cgroup(idOf('system.slice/nginx.service/worker'), 0)).toEqual({
      path: '/system.slice/nginx.service/worker',
      unit: 'nginx.service',
      container: undefined,
    });
    expect(known.cgroup(idOf(`docker/${id}`), 0).container).toBe(id);
    expect(known.cgroup(idOf('.'), 0).path).toBe('/');
  });

  it('keep the path they had when they are gone', () => {
    const known = groups();
    const id = idOf('system.slice/nginx.service/worker');
    rmdirSync(join(folder, 'system.slice/nginx.service/worker'));
    expect(known.cgroup(id, 0).path).toBe('/system.slice/nginx.service/worker');
  });

  it('made later are found by a walk, which is not taken too often', () => {
    const known = groups();
    mkdirSync(join(folder, 'late.scope'));
    const id = idOf('late.scope');
    now = 99;
    expect(known.cgroup(id, 0).path).toBe('');
    now = 100;
    expect(known.cgroup(id, 0)).toEqual({ path: '/late.scope', unit: 'late.scope', container: undefined });
    expect(known.counters.cgroup_unknown).toBe(1);
  });

  it('are walked for a hundredth of the time, however long a walk takes', () => {
    stepMs = 20;
    const known = groups();
    stepMs = 0;
    mkdirSync(join(folder, 'late.scope'));
    now += 1999;
    expect(known.cgroup(idOf('late.scope'), 0).path).toBe('');
    now += 1;
    expect(known.cgroup(idOf('late.scope'), 0).path).toBe('/late.scope');
  });

  it('are bounded, and evictions counted', () => {
    const known = groups(10);
    // The three folders of this tree and its root are known; each of these comes, is seen, and goes.
    const ids = Array.from({ length: 20 }, (_, i) => {
      mkdirSync(join(folder, `${i}.scope`));
      const id = idOf(`${i}.scope`);
      now += 10_000;
      expect(known.cgroup(id, 0).path).toBe(`/${i}.scope`);
      renameSync(join(folder, `${i}.scope`), join(folder, '..', `kg-gone-${process.pid}-${i}`));
      return id;
    });
    for (const [i] of ids.entries()) rmdirSync(join(folder, '..', `kg-gone-${process.pid}-${i}`));
    expect(known.counters.cgroup_evicted).toBeGreaterThanOrEqual(14);
    expect(known.cgroup(ids.at(-1) as string, 0).path).toBe('/19.scope');
    expect(known.cgroup(ids[0] as string, 0).path).toBe('');
  });

  it('are not looked for beyond the budget', () => {
    const known = groups(100, 0);
    mkdirSync(join(folder, 'late.scope'));
    now = 20_000;
    expect(known.cgroup(idOf('late.scope'), 0).path).toBe('');
  });
});

describe('on this host', () => {
  it('finds our own executable, group and user', () => {
    const mount = cgroup2Mount() as string;
    const path = cgroupOf(process.pid) as string;
    const enricher = new ProcEnricher({ cgroupMount: mount });
    const tick = startTickOf(process.pid) as number;
    expect(enricher.process(process.pid, tick, '').exe).toBe(process.execPath);
    expect(enricher.cgroup(cgroupIdOf(mount, path) as string, process.pid).path).toBe(path);
    expect(enricher.user(0)).toBe('root');
    expect(enricher.counters()).toMatchObject({
      proc_reads_refused: 0,
      process_evicted: 0,
      cgroup_evicted: 0,
    });
  });

  it('does not take the group of a process for another one it has left', () => {
    const enricher = new ProcEnricher({ cgroupMount: cgroup2Mount() as string });
    expect(enricher.cgroup('999999999', process.pid).path).toBe('');
  });

  it('adds up what its budgets refuse', () => {
    const enricher = new ProcEnricher({ cgroupMount: folder, readsPerSecond: 2, nowMs: () => 0 });
    for (let pid = 1; pid <= 5; pid++) enricher.process(2 ** 22 - pid, 1, 'x');
    expect(enricher.counters()).toMatchObject({ proc_reads_refused: 3, process_unknown: 5 });
  });
});

describe('users', () => {
  it('come from the file alone; the first name of a uid holds', () => {
    const text =
      'root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:\n# x:x:5\nbad\nneg:x:-1:0\n:x:7:7\nann:x:1000:1000:A:/h:/b\n';
    expect([...parsePasswd(text)]).toEqual([
      [0, 'root'],
      [1000, 'ann'],
    ]);
  });

  it('are read again when the file changes, at most once a second', () => {
    let now = 0;
    const path = join(folder, 'passwd');
    writeFileSync(path, 'ann:x:1:1\n');
    const users = new UserTable(() => now, path);
    expect(users.user(1)).toBe('ann');
    writeFileSync(`${path}.new`, 'bob:x:1:1\n');
    renameSync(`${path}.new`, path);
    now = 999;
    expect(users.user(1)).toBe('ann');
    now = 1000;
    expect(users.user(1)).toBe('bob');
  });

  it('stay known while the file is missing', () => {
    let now = 0;
    const path = join(folder, 'passwd');
    writeFileSync(path, 'ann:x:1:1\n');
    const users = new UserTable(() => now, path);
    expect(users.user(1)).toBe('ann');
    rmSync(path);
    now = 5000;
    expect(users.user(1)).toBe('ann');
    writeFileSync(path, 'eve:x:1:1\n');
    now = 6000;
    expect(users.user(1)).toBe('eve');
  });
});

describe('a budget', () => {
  it('starts anew each second', () => {
    let now = 0;
    const budget = new ReadBudget(2, () => now);
    const takes = (): boolean[] => [budget.take(), budget.take(), budget.take()];
    expect(takes()).toEqual([true, true, false]);
    now = 999;
    expect(budget.take()).toBe(false);
    now = 1000;
    expect(takes()).toEqual([true, true, false]);
    expect(budget.refused).toBe(3);
  });
});

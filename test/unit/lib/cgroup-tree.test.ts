/** The tree of control groups as this host has it, and shapes it does not have. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  cgroup2Mount,
  cgroupIdOf,
  cgroupOf,
  parseCgroup2Mount,
  parseCgroupFile,
  pidsBelow,
  walkCgroups,
} from '../../../src/lib/cgroup-tree.js';

describe('on this host', () => {
  it('finds our own process in our own group', () => {
    const mount = cgroup2Mount() as string;
    const path = cgroupOf(process.pid) as string;
    expect(statSync(join(mount, path, 'cgroup.procs')).isFile()).toBe(true);
    expect(cgroupIdOf(mount, path)).toBe(String(statSync(join(mount, path)).ino));
    expect(pidsBelow(mount, path)).toContain(process.pid);
  });

  it('says nothing of a process or group that is not there', () => {
    expect(cgroupOf(2 ** 22 + 1)).toBeUndefined();
    expect(cgroupIdOf(cgroup2Mount() as string, '/no/such/group')).toBeUndefined();
  });
});

describe('mountinfo', () => {
  const line = (root: string, point: string, type: string): string =>
    `31 23 0:28 ${root} ${point} rw,relatime shared:9 - ${type} ${type} rw`;

  it('takes cgroup2 only, the whole tree before a part of it', () => {
    const part = line('/docker/x', '/part', 'cgroup2');
    expect(parseCgroup2Mount([line('/', '/a', 'cgroup'), part].join('\n'))).toBe('/part');
    expect(parseCgroup2Mount([part, line('/', '/whole', 'cgroup2')].join('\n'))).toBe('/whole');
    expect(parseCgroup2Mount(line('/', '/a', 'cgroup'))).toBeUndefined();
  });

  it('decodes blanks and backslashes', () => {
    expect(parseCgroup2Mount(line('/', '/a\\040b\\134c', 'cgroup2'))).toBe('/a b\\c');
  });
});

it('reads the unified line of /proc/PID/cgroup', () => {
  expect(parseCgroupFile('9:name=systemd:/x\n0::/system.slice/a.service\n')).toBe('/system.slice/a.service');
  expect(parseCgroupFile('0::/a.scope (deleted)\n')).toBe('/a.scope');
  expect(parseCgroupFile('1:cpu:/x\n')).toBeUndefined();
});

describe('a tree', () => {
  let mount: string;

  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'kg-cgroup-'));
    for (const path of ['a/b', 'a/c', 'd']) mkdirSync(join(mount, path), { recursive: true });
    writeFileSync(join(mount, 'cgroup.procs'), '');
    writeFileSync(join(mount, 'a/cgroup.procs'), '12\n5\n');
    writeFileSync(join(mount, 'a/b/cgroup.procs'), '7\n5\n0\n');
    // No `cgroup.procs`: a threaded group, which names threads; the first thread's id is the process's.
    writeFileSync(join(mount, 'a/c/cgroup.threads'), `${process.pid}\n`);
    writeFileSync(join(mount, 'd/cgroup.procs'), '99\n');
  });

  afterEach(() => rmSync(mount, { recursive: true }));

  it('gives the processes of a group and all below it, each once', () => {
    const expected = [5, 7, 12, process.pid].sort((a, b) => a - b);
    expect(pidsBelow(mount, '/a')).toEqual(expected);
    expect(pidsBelow(mount, '/nowhere')).toEqual([]);
  });

  it('is walked parents first and not beyond the limit', () => {
    const walk = (limit: number): string[] => {
      const seen: string[] = [];
      walkCgroups(mount, '/', limit, (path) => seen.push(path));
      return seen;
    };
    expect(walk(100).sort()).toEqual(['/', '/a', '/a/b', '/a/c', '/d']);
    expect(walk(2)).toHaveLength(2);
    expect(walk(2)[0]).toBe('/');
  });
});

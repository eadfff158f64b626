/** Where cgroup v2 is mounted, which group a process is in, and which groups and processes a group holds. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Deepest level that is walked; the kernel compares no more either. */
const DEPTH_MAX = 32;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** What is mounted where, as the kernel tells it. Empty without /proc: the same as nothing mounted. */
export const mountInfo = (): string => read('/proc/self/mountinfo') ?? '';

/** Mount point of cgroup v2, which on hybrid hosts is not /sys/fs/cgroup; undefined when it is not mounted. */
export const cgroup2Mount = (): string | undefined => parseCgroup2Mount(mountInfo());

/** The first mount of the whole tree, else the first of a part of it. See proc_pid_mountinfo(5). */
export const parseCgroup2Mount = (mountinfo: string): string | undefined => {
  let part: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    if (after.split(' ')[0] !== 'cgroup2') continue;
    const [, , , root, point = ''] = before.split(' ');
    if (root === '/') return unescapeMount(point);
    part ??= unescapeMount(point);
  }
  return part;
};

/** mountinfo writes blank, tab, newline and backslash as three octal digits. */
const unescapeMount = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

/** Path of the cgroup v2 a process is in (`/` is the root), or undefined when it is gone. */
export const cgroupOf = (pid: number): string | undefined => {
  const text = read(`/proc/${pid}/cgroup`);
  return text === undefined ? undefined : parseCgroupFile(text);
};

export const parseCgroupFile = (text: string): string | undefined =>
  // A group removed while it still holds a zombie is shown with ` (deleted)`.
  /^0::(.*?)(?: \(deleted\))?$/m.exec(text)?.[1];

/** Id of a cgroup (the inode of its folder, decimal), or undefined when it is not there. */
export const cgroupIdOf = (mount: string, path: string): string | undefined => {
  try {
    return statSync(join(mount, path), { bigint: true }).ino.toString();
  } catch {
    return undefined;
  }
};

/** Calls `visit` for `path` and each group below it, parents first, at most `limit` of them. */
export const walkCgroups = (
  mount: string,
  path: string,
  limit: number,
  visit: (path: string) => void,
): void => {
  const queue = [{ path: path === '' ? '/' : path, depth: 0 }];
  for (let next = 0; next < queue.length && next < limit; next++) {
    const group = queue[next];
    if (!group) return;
    visit(group.path);
    if (group.depth >= DEPTH_MAX) continue;
    for (const name of subfolders(join(mount, group.path))) {
      queue.push({ path: join(group.path, name), depth: group.depth + 1 });
    }
  }
};

const subfolders = (folder: string): string[] => {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
};

/** Processes in the group `path` and in all groups below it, ascending, each once. */
export const pidsBelow = (mount: string, path: string): number[] => {
  const pids = new Set<number>();
  walkCgroups(mount, path, Number.POSITIVE_INFINITY, (group) => {
    for (const pid of pidsIn(join(mount, group))) pids.add(pid);
  });
  return [...pids].sort((a, b) => a - b);
};

/** A threaded group refuses `cgroup.procs`; its threads are asked for the process they belong to. */
const pidsIn = (folder: string): number[] => {
  const procs = read(join(folder, 'cgroup.procs'));
  if (procs !== undefined) return numbers(procs);
  return numbers(read(join(folder, 'cgroup.threads')) ?? '').flatMap((tid) => {
    const tgid = /^Tgid:\s*(\d+)$/m.exec(read(`/proc/${tid}/status`) ?? '')?.[1];
    return tgid === undefined ? [] : [Number(tgid)];
  });
};

/** 0 stands for a process outside our PID namespace: nothing to name it by. */
const numbers = (text: string): number[] =>
  text
    .split('\n')
    .map(Number)
    .filter((n) => n > 0);

/** Reads processes out of /proc. Every answer may be gone the moment it is given. */
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { processId } from '../model/subject.js';

export interface ProcStat {
  readonly pid: number;
  readonly comm: string;
  /** `R`, `S`, `Z` … as the kernel writes it. */
  readonly state: string;
  readonly ppid: number;
  /** Start in clock ticks (10 ms) since boot: with `pid`, the identity of the process. */
  readonly startTick: number;
}

export interface Ancestor {
  readonly pid: number;
  readonly startTick: number;
  readonly comm: string;
  readonly exe: string;
}

/** An audit session or login uid that is not set. */
const UNSET = 0xffffffff;
const CMDLINE_MAX = 4096;
/** Longest line of ancestors that is followed: a process can make itself a deeper one. */
const ANCESTORS_MAX = 1024;

/** Text of a file of /proc, or undefined when it is gone or refused. */
const readProc = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/**
 * Parses `/proc/PID/stat`. The name is chosen by the process and may hold blanks, parentheses and
 * newlines, so it ends at the *last* closing one: what follows is written by the kernel alone.
 */
export const parseStat = (text: string): ProcStat | undefined => {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 2 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const pid = Number(text.slice(0, open - 1));
  const state = fields[0] ?? '';
  const ppid = Number(fields[1]);
  const startTick = Number(fields[19]);
  if (!Number.isInteger(pid) || !Number.isInteger(ppid) || !Number.isInteger(startTick)) return undefined;
  return { pid, comm: text.slice(open + 1, close), state, ppid, startTick };
};

/** Undefined when there is no such process. */
export const readStat = (pid: number): ProcStat | undefined => {
  const text = readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
};

export const startTickOf = (pid: number): number | undefined => readStat(pid)?.startTick;

/**
 * Absolute path of the executable; '' for kernel threads and for what is gone or refused. The
 * kernel's ` (deleted)` is cut off: a service whose package was upgraded keeps its name.
 */
export const readExe = (pid: number): string => {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, '');
  } catch {
    return '';
  }
};

/** Arguments, at most the first 4096 bytes of them: a process may have megabytes. */
export const readArgs = (pid: number): string[] => {
  const buffer = Buffer.allocUnsafe(CMDLINE_MAX);
  try {
    const fd = openSync(`/proc/${pid}/cmdline`, 'r');
    try {
      return splitArgs(buffer.subarray(0, readSync(fd, buffer, 0, CMDLINE_MAX, 0)));
    } finally {
      closeSync(fd);
    }
  } catch {
    return [];
  }
};

/** Splits at NUL bytes; the NULs a process left behind when it rewrote its title are dropped. */
export const splitArgs = (bytes: Uint8Array): string[] => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const trimmed = text.replace(/\0+$/, '');
  return trimmed === '' ? [] : trimmed.split('\0');
};

/** Ids of all live processes, in ascending order. */
export const processes = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);

/** From the parent of `pid` up to PID 1; shorter when one ends meanwhile. */
export const ancestors = (pid: number): Ancestor[] => {
  const found: Ancestor[] = [];
  let child = readStat(pid);
  while (child && child.ppid > 0 && found.length < ANCESTORS_MAX) {
    const parent = readStat(child.ppid);
    // A parent younger than its child is another process that was given a freed id.
    if (!parent || parent.startTick > child.startTick) break;
    found.push({ pid: parent.pid, startTick: parent.startTick, comm: parent.comm, exe: readExe(parent.pid) });
    child = parent;
  }
  return found;
};

/** Login uid and audit session id of a process, -1 each when unset or unreadable. */
export const auditIds = (pid: number): { loginUid: number; session: number } => ({
  loginUid: readAuditId(`/proc/${pid}/loginuid`),
  session: readAuditId(`/proc/${pid}/sessionid`),
});

const readAuditId = (path: string): number => {
  const text = readProc(path)?.trim();
  return text === undefined || !/^\d+$/.test(text) || Number(text) === UNSET ? -1 : Number(text);
};

/** UUID of this boot; '' where the kernel does not tell. */
export const bootId = (): string => readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? '';

type Roots = Map<string, { pid: number; startTick: number }>;

/**
 * The root of each live process's lineage: the process itself or the nearest ancestor whose parent
 * is PID 1, a launcher, or gone. Keyed by `PID@TICK`; PID 1 has none.
 */
export const lineageSeeds = (isLauncher: (pid: number) => boolean): Roots =>
  lineageRoots(
    processes().flatMap((pid) => readStat(pid) ?? []),
    isLauncher,
  );

/** The same for any list of processes. */
export const lineageRoots = (processes: readonly ProcStat[], isLauncher: (pid: number) => boolean): Roots => {
  const stats = new Map(processes.filter(({ pid }) => pid !== 1).map((stat) => [stat.pid, stat]));
  const launchers = new Set([...stats.keys()].filter(isLauncher));
  const roots: Roots = new Map();
  for (const stat of stats.values()) {
    const { pid, startTick } = lineageRoot(stat, stats, launchers);
    roots.set(processId(stat.pid, stat.startTick), { pid, startTick });
  }
  return roots;
};

const lineageRoot = (
  start: ProcStat,
  stats: ReadonlyMap<number, ProcStat>,
  launchers: ReadonlySet<number>,
): ProcStat => {
  let root = start;
  // Ids may be reused while the list is read: only an older parent is believed, and the walk is bounded.
  for (let steps = 0; steps < stats.size && !launchers.has(root.ppid); steps++) {
    const parent = stats.get(root.ppid);
    if (!parent || parent.startTick > root.startTick) break;
    root = parent;
  }
  return root;
};

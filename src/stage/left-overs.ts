/** Takes away what a run that was killed left behind: its processes, cgroup, mount and folder. */
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pidsBelow } from '../lib/cgroup-tree.js';
import { startTickOf } from '../lib/proc.js';
import { runToEnd } from './children.js';

/** The kernel lets go of a dead member's cgroup a moment after its exit. */
const PATIENCE_MS = 5_000;
const SIGN = 'made-by';

/** Writes down who made a place, so that a later run can tell whether it is still in use. */
export const signPlace = (dir: string, cgroup: string): void => {
  const maker = { pid: process.pid, tick: startTickOf(process.pid), cgroup };
  writeFileSync(join(dir, SIGN), JSON.stringify(maker));
};

/** Removes a cgroup and the groups in it; rejects with the system's error when one stays in use. */
export const removeCgroup = async (path: string): Promise<void> => {
  for (const end = Date.now() + PATIENCE_MS; ; ) {
    try {
      for (const inner of readdirSync(path, { withFileTypes: true })) {
        if (inner.isDirectory()) rmdirSync(join(path, inner.name));
      }
      rmdirSync(path);
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
};

/** Ends every process in a cgroup of ours and in those below it. */
const endMembers = (cgroup: string): void => {
  for (const pid of pidsBelow(cgroup, '/')) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      /* gone by itself */
    }
  }
};

interface Place {
  readonly pid: number;
  readonly tick: number;
  readonly cgroup: string;
}

/** The temporary folder is everybody's: a folder that is not root's own alone could name any cgroup. */
const placeAt = (dir: string): Place | undefined => {
  try {
    const { uid, mode } = lstatSync(dir);
    if (uid !== process.getuid?.() || (mode & 0o077) !== 0) return undefined;
    const place = JSON.parse(readFileSync(join(dir, SIGN), 'utf8')) as Place;
    return startTickOf(place.pid) === place.tick ? undefined : place;
  } catch {
    return undefined;
  }
};

const remove = async (dir: string, { cgroup }: Place): Promise<void> => {
  if (/^kerngate-\w+-\w{6}$/.test(basename(cgroup)) && existsSync(cgroup)) {
    endMembers(cgroup);
    await removeCgroup(cgroup);
  }
  const pins = join(dir, 'bpf');
  if (existsSync(pins)) await runToEnd('umount', [pins], process.env);
  // Last: as long as it is there, the next run can try again.
  for (const name of readdirSync(dir).filter((name) => name !== SIGN)) {
    rmSync(join(dir, name), { recursive: true, force: true });
  }
  unlinkSync(join(dir, SIGN));
  rmdirSync(dir);
};

/** Removes the places called NAME whose makers are gone. Rejects with the system's error. */
export const removeLeftOvers = async (name: string): Promise<void> => {
  const prefix = `kerngate-${name}-`;
  for (const entry of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const dir = join(tmpdir(), entry);
    const place = placeAt(dir);
    if (place !== undefined) await remove(dir, place);
  }
};

/** What kerngate froze and has not thawed: a small file each, so that agent and commands never undo each other's. */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Group } from '../lib/freezer.js';
import { bootId } from '../lib/proc.js';
import type { Subject } from '../model/subject.js';
import type { Timer } from './thaw-timer.js';

export interface Frozen extends Group {
  readonly decision: string;
  readonly subject: Subject;
  readonly timer: Timer;
  /** After a reboot nothing is frozen. */
  readonly boot: string;
}

const folderOf = (state: string): string => join(state, 'frozen');
const fileOf = (state: string, id: string): string => join(folderOf(state), `${id}.json`);

/** In place when it returns. Throws the system's error. */
export const remember = (state: string, frozen: Omit<Frozen, 'boot'>): void => {
  mkdirSync(folderOf(state), { recursive: true, mode: 0o700 });
  const path = fileOf(state, frozen.id);
  writeFileSync(`${path}.tmp`, `${JSON.stringify({ ...frozen, boot: bootId() })}\n`, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
};

export const forget = (state: string, { id }: Group): void => rmSync(fileOf(state, id), { force: true });

/** What this boot froze. A file that cannot be read is left out: its timer thaws all the same. */
export const remembered = (state: string): Frozen[] => {
  const boot = bootId();
  return names(folderOf(state)).flatMap((name): Frozen[] => {
    try {
      const frozen = JSON.parse(readFileSync(join(folderOf(state), name), 'utf8')) as Frozen;
      if (frozen.boot === boot && typeof frozen.path === 'string' && frozen.timer) return [frozen];
    } catch {
      /* gone meanwhile, or damaged */
    }
    return [];
  });
};

const names = (folder: string): string[] => {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
};

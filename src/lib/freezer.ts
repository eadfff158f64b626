/** Freezes and thaws cgroups, each known by path and inode: a path may be another group's by now. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Group {
  /** Of the file system. */
  readonly path: string;
  /** Inode of its folder, decimal. */
  readonly id: string;
}

const isSame = ({ path, id }: Group): boolean => {
  try {
    return statSync(path, { bigint: true }).ino.toString() === id;
  } catch {
    return false;
  }
};

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** Whether this very group was told to freeze; undefined when it cannot be, as the root or before Linux 5.2. */
export const isToldToFreeze = ({ path }: Pick<Group, 'path'>): boolean | undefined => {
  const text = read(join(path, 'cgroup.freeze'))?.trim();
  return text === undefined ? undefined : text === '1';
};

/** True once every task in it stands still. */
export const isFrozen = ({ path }: Group): boolean =>
  /^frozen 1$/m.test(read(join(path, 'cgroup.events')) ?? '');

/** Throws the system's error. */
export const freeze = (group: Group): void => {
  if (!isSame(group)) throw new Error(`${group.path} is another cgroup by now`);
  writeFileSync(join(group.path, 'cgroup.freeze'), '1');
};

/** True when the group runs, or is gone; throws the system's error when it stays frozen. */
export const thaw = (group: Group): void => {
  if (isSame(group)) writeFileSync(join(group.path, 'cgroup.freeze'), '0');
};

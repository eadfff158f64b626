/** An executable as the hook compares it: inode and device of the file that runs. */
import { statfsSync, statSync } from 'node:fs';

export interface FileId {
  readonly ino: bigint;
  /** The kernel's own encoding: major << 20 | minor. */
  readonly dev: number;
}

/**
 * File systems on which stat shows the very inode and device the kernel holds. Elsewhere (overlay,
 * btrfs subvolumes) they may differ, and a comparison would miss: such paths are judged by the agent.
 */
const PLAIN = new Set([0xef53, 0x58465342, 0x01021994, 0xf2f52010, 0x858458f6]); // ext, xfs, tmpfs, f2fs, ramfs

/** Undefined when the file is absent or cannot be compared. */
export const fileIdOf = (path: string): FileId | undefined => {
  try {
    if (!PLAIN.has(statfsSync(path).type)) return undefined;
    const { ino, dev } = statSync(path, { bigint: true });
    return { ino, dev: kernelDevice(dev) };
  } catch {
    return undefined;
  }
};

/** Names of the others that are met; the rest is told by number. */
const OTHERS: Readonly<Record<number, string>> = {
  2035054128: 'overlayfs',
  2435016766: 'btrfs',
  801189825: 'zfs',
  1936814952: 'squashfs',
  3774210530: 'erofs',
  26985: 'nfs',
  1702057286: 'fuse',
  16914839: '9p',
  40864: 'proc',
};

/** Where a file lies that is there and cannot be compared; undefined when it can, or is absent. */
export const incomparable = (path: string): string | undefined => {
  try {
    const { type } = statfsSync(path);
    return PLAIN.has(type) ? undefined : (OTHERS[type] ?? `a file system of type 0x${type.toString(16)}`);
  } catch {
    return undefined;
  }
};

/** From the encoding of user space (glibc's gnu_dev_makedev). */
export const kernelDevice = (dev: bigint): number => {
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & 0xfffff000n);
  const minor = (dev & 0xffn) | ((dev >> 12n) & 0xffffff00n);
  return Number((major << 20n) | minor);
};

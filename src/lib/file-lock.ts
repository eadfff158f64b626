/** Runs a piece of work while an advisory lock on a file is held. */
import { closeSync, constants, openSync } from 'node:fs';

/** Takes the exclusive lock of an open file and waits for it; the addon's `flock` in production. */
export type Lock = (fd: number) => void;

/**
 * Creates `path` (0600) when it is missing. The lock falls when the descriptor is closed, also when
 * the process is killed, so a dead holder can never lock others out.
 */
export const withFileLock = <T>(path: string, lock: Lock, work: () => T): T => {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    lock(fd);
    return work();
  } finally {
    closeSync(fd);
  }
};

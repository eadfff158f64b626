/** What the commands that must work without the agent share. */
import { stat } from 'node:fs/promises';
import type { Paths } from '../lib/paths.js';
import { EXIT, KerngateError } from '../model/error.js';

const exists = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Only a plain "not there" means that nothing is blocked; what we may not see could hold a block.
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new KerngateError(`cannot look into ${path}: ${code}`, {
      remedy: 'Run the command as root.',
      cause: error,
    });
  }
};

/** True when an agent ever ran with these paths: pinned maps or a journal may hold blocks. */
export const hasTraces = async ({ pin, state }: Pick<Paths, 'pin' | 'state'>): Promise<boolean> =>
  (await exists(pin)) || (await exists(state));

export const isUnreachable = (error: unknown): error is KerngateError =>
  error instanceof KerngateError && error.exitCode === EXIT.unreachable;

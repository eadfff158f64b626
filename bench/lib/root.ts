/** What a bench says when it needs root and has it not. */
import { KerngateError } from '../../src/model/error.js';

/** Throws unless the process is root's, in the mount namespace the runner makes for root. */
export const requireRoot = (what: string): void => {
  if (process.env.KERNGATE_TEST_BPFFS !== undefined && process.getuid?.() === 0) return;
  throw new KerngateError(`this bench needs root: ${what}`, {
    remedy: 'Run it as root: npm run bench -- NAME',
  });
};

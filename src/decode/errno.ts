/** Names of the kernel's error numbers. */
import { constants } from 'node:os';

const NAMES = new Map<number, string>();
for (const [name, number] of Object.entries(constants.errno)) {
  // Two numbers have two names each; the kernel's own sources use these.
  if (!NAMES.has(number) || name === 'EOPNOTSUPP' || name === 'EAGAIN') NAMES.set(number, name);
}

/** Errno name of a kernel result (0 or a negative errno); a number without a name reads `ERRNO_524`. */
export const resultOf = (result: number): 0 | string =>
  result === 0 ? 0 : (NAMES.get(Math.abs(result)) ?? `ERRNO_${Math.abs(result)}`);

/** What the lane asks of every stand: how much slower than a real machine this one is, and the level to test. */
import { readFileSync } from 'node:fs';

/** A machine without KVM needs some ten times as long for the same; limits and windows stretch with it. */
export const SLOW = Number(process.env.KERNGATE_TEST_SLOW ?? 1);

/** Words of the command line that force a level; none when the agent may choose. */
export const levelWords = (given: readonly string[]): string[] => {
  const level = process.env.KERNGATE_TEST_LEVEL;
  return !level || given.includes('--level') ? [] : ['--level', level];
};

/** True under scripts/vm: the machine is the test's own, and its root cgroup too. */
export const IS_GUEST = readFileSync('/proc/cmdline', 'utf8').includes(' kerngate.out=');

/** `seconds`, stretched, as a duration. */
export const span = (seconds: number): string => `${Math.ceil(seconds * SLOW)}s`;

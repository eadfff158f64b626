/** What each enforcement level leaves open, as `status` and `doctor` list it. Unproven is not claimed. */
import { readFileSync } from 'node:fs';
import type { Level } from '../model/decision.js';
import { type OpenWay, openWays } from './promises.js';

/** A program attached below the root does not see a task that leaves the subtree. */
const SCOPE_OPEN = 'processes that move out of the scope: it takes write access to a cgroup outside it';
/** Of a trampoline with a recursion check: fmod_ret everywhere, lsm before 6.2. */
const PREEMPTED =
  'what has no address hook, while another call is preempted in the guard on the same CPU: guard_missed counts it';

/** The ways open even to a subject blocked with `--deny isolate --sever`. `programs`: those of ours that are attached. */
export const openAt = (level: Level, programs: readonly string[]): OpenWay[] =>
  openWays({ level, deny: 'isolate', isSevered: true, programs });

/** What else is open, whatever the way. */
export const openBeside = (level: Level, isRootScope: boolean): string[] => [
  ...(level === 'cgroup' ? [] : [PREEMPTED]),
  ...(isRootScope ? [] : [SCOPE_OPEN]),
];

/** The same for people: ways of one reason together. */
export const openText = (ways: readonly OpenWay[]): string[] => {
  const byReason = new Map<string, string[]>();
  for (const { way, reason } of ways) byReason.set(reason, [...(byReason.get(reason) ?? []), way]);
  return [...byReason].map(([reason, names]) => `${names.join(', ')}: ${reason}`);
};

/** The security modules this kernel was booted with; undefined when that cannot be read. A hint, no proof. */
export const lsmList = (): string[] | undefined => {
  try {
    return readFileSync('/sys/kernel/security/lsm', 'utf8').trim().split(',').filter(Boolean);
  } catch {
    return undefined;
  }
};

/** A guard that attached without an error and never saw its canary. */
export const whyNotRun = (level: Level): string => {
  const list = lsmList();
  const why = 'it attaches, and never runs';
  if (level !== 'lsm' || list === undefined || list.includes('bpf')) return why;
  return `${why}: bpf is not in lsm=${list.join(',')}; boot with lsm=${[...list, 'bpf'].join(',')}`;
};

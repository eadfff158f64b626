/** What each enforcement level leaves open, as `status` and `doctor` list it. Unproven is not claimed. */
import { readFileSync } from 'node:fs';
import type { Level } from '../model/decision.js';

/** Open on every level: no hook of ours stands there. */
const ALWAYS_OPEN: readonly string[] = [
  'sockets that are connected already: sending, receiving, splicing',
  'accepting and listening',
  'raw, ping and packet sockets that send without a connect',
  'AF_UNIX: local helpers and proxies, sockets handed over (SCM_RIGHTS, pidfd_getfd)',
  'netlink, socketpairs, /dev/net/tun',
];

/** A gate stands where an address is looked at; other families never pass one. */
const CGROUP_OPEN: readonly string[] = [
  'connects of SCTP, vsock, raw sockets and other families without an address hook',
  ...ALWAYS_OPEN,
];

/** A guard sees every connect, and nothing but connects. */
const GUARD_OPEN: readonly string[] = [
  'SCTP by sendto or sctp_connectx, and other families without an address hook that send without a connect',
  'connects of those families while another one is preempted in the guard on the same CPU (guard_missed counts them)',
  ...ALWAYS_OPEN,
];

/** A program attached below the root does not see a task that leaves the subtree. */
const SCOPE_OPEN = 'processes that move out of the scope (needs write access to a cgroup outside it)';

export const openWays = (level: Level, isRootScope: boolean): string[] => {
  const ways = level === 'cgroup' ? CGROUP_OPEN : GUARD_OPEN;
  return isRootScope ? [...ways] : [...ways, SCOPE_OPEN];
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

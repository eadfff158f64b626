/** What each enforcement level leaves open, as `status` and `doctor` list it. Unproven is not claimed. */
import type { Level } from '../model/decision.js';

/**
 * At cgroup level the gate refuses connects and unconnected datagrams of IPv4 and IPv6; everything that
 * never passes an address hook stays possible.
 */
const CGROUP_OPEN: readonly string[] = [
  'sockets that are connected already: sending, receiving, splicing',
  'accepting and listening',
  'raw, ping and packet sockets',
  'SCTP, vsock and other families without an address hook',
  'AF_UNIX: local helpers and proxies, sockets handed over (SCM_RIGHTS, pidfd_getfd)',
  'netlink, socketpairs, /dev/net/tun',
];

/** A program attached below the root does not see a task that leaves the subtree. */
const SCOPE_OPEN = 'processes that move out of the scope (needs write access to a cgroup outside it)';

export const openWays = (level: Level, isRootScope: boolean): string[] => {
  const ways = level === 'cgroup' ? CGROUP_OPEN : [];
  return isRootScope ? [...ways] : [...ways, SCOPE_OPEN];
};

/** What stays open by design at each level and scope of a deny, with the reason; every other way is promised to be shut. */
import type { DenyScope, Level } from '../model/decision.js';

export interface OpenWay {
  readonly way: string;
  /** One sentence. */
  readonly reason: string;
}

interface Gap {
  readonly ways: readonly string[];
  readonly reason: string;
  /** Scopes of a deny that leave these ways open. */
  readonly deny: readonly DenyScope[];
  /** Absent: at every level. */
  readonly level?: Level;
  /** Shut where the kernel has hooks for AF_UNIX addresses. */
  readonly unlessUnixHooks?: true;
  /** Sockets that were open when the block was set: a block that severs ends them. */
  readonly severed?: true;
}

const GAPS: readonly Gap[] = [
  {
    ways: ['udp-est-send', 'udp-est-splice', 'inherit-exec', 'cgroup-move-est', 'est-recv', 'accept-pre'],
    reason:
      'a deny of what is new leaves sockets alone that were open before; --sever ends them, --deny all denies them',
    deny: ['new'],
    severed: true,
  },
  {
    ways: ['est-write', 'est-send', 'est-sendfile', 'est-splice', 'est-vmsplice'],
    reason:
      'a deny of what is new lets connections of before go on; --sever ends them, --deny all denies them',
    deny: ['new'],
    severed: true,
  },
  {
    ways: ['uring-est-send', 'uring-est-send-async', 'uring-est-send-sqpoll', 'uring-est-write'],
    reason:
      'a deny of what is new lets connections of before go on; --sever ends them, --deny all denies them',
    deny: ['new'],
    severed: true,
  },
  {
    ways: ['unix-stream', 'unix-dgram', 'unix-est', 'helper-new', 'helper-pre'],
    reason:
      'AF_UNIX leads nowhere but to this host; of its sockets --deny all denies the brokers, --deny isolate all',
    deny: ['new', 'all'],
  },
  {
    ways: ['socketpair', 'netlink'],
    reason: 'it stays within the process tree or the kernel; --deny isolate denies it',
    deny: ['new', 'all'],
  },
  {
    ways: ['listen-autobind'],
    reason: 'no cgroup hook sees listen() without bind(); --deny all drops what comes in',
    deny: ['new'],
    level: 'cgroup',
  },
  {
    ways: ['packet', 'packet-qbypass', 'packet-preopen', 'packet-pre-qbypass'],
    reason: 'frames pass below every cgroup hook; it takes CAP_NET_RAW',
    deny: ['new', 'all', 'isolate'],
    level: 'cgroup',
  },
  {
    ways: ['vsock'],
    reason: 'vsock has no cgroup hook',
    deny: ['new', 'all', 'isolate'],
    level: 'cgroup',
  },
  {
    ways: ['unix-stream', 'unix-dgram', 'helper-new'],
    reason: 'this kernel has no cgroup hook for AF_UNIX addresses, as kernels since 6.7 have',
    deny: ['isolate'],
    level: 'cgroup',
    unlessUnixHooks: true,
  },
  {
    ways: ['unix-est', 'helper-pre'],
    reason: 'open AF_UNIX connections have no cgroup hook',
    deny: ['isolate'],
    level: 'cgroup',
  },
  {
    ways: ['scm-connected', 'pidfd-getfd'],
    reason: 'a connected socket of another process passes no cgroup hook that knows who uses it',
    deny: ['new', 'all', 'isolate'],
    level: 'cgroup',
  },
  {
    ways: ['socketpair', 'netlink'],
    reason: 'neither has a cgroup hook',
    deny: ['isolate'],
    level: 'cgroup',
  },
  {
    ways: ['tun-write'],
    reason: 'a tun device is no socket and has no cgroup hook; it takes CAP_NET_ADMIN',
    deny: ['new', 'all', 'isolate'],
    level: 'cgroup',
  },
];

/** What a block is enforced by, and how. */
export interface Standing {
  readonly level: Level;
  readonly deny: DenyScope;
  readonly isSevered?: boolean;
  /** Programs of ours that are attached, by name. */
  readonly programs?: readonly string[];
}

const isOpen = (gap: Gap, { level, deny, isSevered = false, programs = [] }: Standing): boolean =>
  gap.deny.includes(deny) &&
  (gap.level === undefined || gap.level === level) &&
  !(isSevered && gap.severed === true) &&
  !(gap.unlessUnixHooks === true && programs.includes('kg_connect_unix'));

/** The ways left open to a subject with such a block; all others are promised to be shut. */
export const openWays = (standing: Standing): OpenWay[] =>
  GAPS.filter((gap) => isOpen(gap, standing)).flatMap(({ ways, reason }) =>
    ways.map((way) => ({ way, reason })),
  );

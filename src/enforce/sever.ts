/** Ends the sockets a subject has open already: finds them in every namespace, judges who else holds them, destroys. */
import type { Native } from '../kernel/native.js';
import {
  destroySockets,
  type HostSocket,
  listSockets,
  MPTCP,
  protocolName,
  TCP,
  UDP,
} from '../kernel/sockets.js';
import type { Severed } from '../model/decision.js';
import { type Holders, isOthers, look, type SubjectView } from './holders.js';

/** Walks at most: each finds what was opened, accepted or handed over during the one before. */
const WALKS = 8;
/** Namespaces looked through at most. */
const NETNS_MAX = 512;
const ENOENT = 2;
/** TIME_WAIT, CLOSE of a stream, and a request that has no socket yet: they carry nothing. */
const IDLE = new Set([6, 12]);
const CLOSED = 7;

type Did = 'closed' | 'kept' | 'failed' | 'gone';

/**
 * Every entry that refuses new sockets must be in force before this is called. `isDry`: only counts. What could not
 * be destroyed is counted as failed; what others hold as well, as kept.
 */
export const sever = async (native: Native, view: SubjectView, isDry: boolean): Promise<Severed> => {
  const seen = new Map<bigint, Did>();
  const causes = new Set<string>();
  for (let walk = 0; walk < (isDry ? 1 : WALKS); walk++) {
    const before = seen.size;
    await walkOnce(native, view, isDry, seen, causes);
    if (seen.size === before) break;
  }
  const count = (what: Did): number => [...seen.values()].filter((did) => did === what).length;
  return {
    closed: count('closed'),
    kept: count('kept'),
    failed: count('failed'),
    ...(causes.size === 0 ? {} : { why: [...causes].join('; ') }),
  };
};

const walkOnce = async (
  native: Native,
  view: SubjectView,
  isDry: boolean,
  seen: Map<bigint, Did>,
  causes: Set<string>,
): Promise<void> => {
  const host = await look(view);
  if (host.unseen !== undefined) causes.add(host.unseen);
  const cgroups = view.cgroups();
  if (host.members.size === 0 && cgroups.size === 0) return;
  if (host.netns.length > NETNS_MAX) causes.add(`more than ${NETNS_MAX} network namespaces`);
  for (const netns of host.netns.slice(0, NETNS_MAX)) {
    const found = await socketsIn(native, netns, causes);
    const judged = judge(found, host, cgroups, view).filter(({ socket }) => !seen.has(socket.cookie));
    for (const { socket, isKept } of judged) seen.set(socket.cookie, isKept ? 'kept' : 'closed');
    if (isDry || view.isOver()) continue;
    const doomed = judged.filter(({ isKept }) => !isKept).map(({ socket }) => socket);
    await destroy(native, netns, doomed, seen, causes);
  }
};

const socketsIn = async (native: Native, netns: string, causes: Set<string>): Promise<HostSocket[]> => {
  try {
    const { sockets, missing } = await listSockets(native, netns);
    for (const protocol of missing) {
      if (protocol === TCP || protocol === UDP)
        causes.add(`this kernel does not list ${protocolName(protocol)} sockets (inet_diag is missing)`);
    }
    return sockets;
  } catch (error) {
    /* its last process has ended: what that held is closed */
    if ((error as { code?: string }).code !== 'ENOENT') causes.add((error as Error).message);
    return [];
  }
};

interface Judged {
  readonly socket: HostSocket;
  /** Somebody else's as well. */
  readonly isKept: boolean;
}

const judge = (
  sockets: readonly HostSocket[],
  host: Holders,
  cgroups: ReadonlySet<bigint>,
  view: SubjectView,
): Judged[] => {
  const isLive = ({ state, protocol }: HostSocket): boolean =>
    !IDLE.has(state) && !(state === CLOSED && (protocol === TCP || protocol === MPTCP));
  const judged = sockets
    .filter((socket) => isLive(socket))
    .filter(({ inode, cgroup }) => (inode !== 0 && host.own.has(inode)) || cgroups.has(cgroup))
    .map((socket) => ({ socket, isKept: isKept(socket, host, cgroups, view) }));
  /* the kernel ends an MPTCP connection by its flows, which no descriptor names */
  const ends = new Set(
    judged
      .filter(({ socket, isKept }) => !isKept && socket.protocol === MPTCP)
      .map(({ socket }) => socket.ends),
  );
  const known = new Set(judged.map(({ socket }) => socket.cookie));
  const flows = ends.size === 0 ? [] : sockets.filter((one) => one.protocol === TCP && ends.has(one.ends));
  return [
    ...judged.filter(({ socket }) => !(socket.protocol === MPTCP && ends.has(socket.ends))),
    ...flows.filter(({ cookie }) => !known.has(cookie)).map((socket) => ({ socket, isKept: false })),
  ];
};

const isKept = (
  { inode, cgroup }: HostSocket,
  host: Holders,
  cgroups: ReadonlySet<bigint>,
  view: SubjectView,
): boolean => {
  /* what a process left behind when it closed or exited, in a group where that may have been a protected one */
  if (inode === 0) return view.spares();
  return isOthers(inode, host, view, cgroups.has(cgroup));
};

const destroy = async (
  native: Native,
  netns: string,
  sockets: readonly HostSocket[],
  seen: Map<bigint, Did>,
  causes: Set<string>,
): Promise<void> => {
  const answers = await destroySockets(native, netns, sockets).catch((error: Error) => {
    if (sockets.length > 0) causes.add(error.message);
    return sockets.map(() => -1);
  });
  for (const [at, socket] of sockets.entries()) {
    const errno = answers[at] ?? 0;
    if (errno === 0) continue;
    seen.set(socket.cookie, errno === ENOENT ? 'gone' : 'failed');
    if (errno === ENOENT) continue;
    if (errno > 0)
      causes.add(`${protocolName(socket.protocol)} sockets: the kernel refuses (errno ${errno})`);
  }
};

/** Who holds which sockets: a walk through the processes of the host, and what of a subject is others' as well. */
import { counted } from '../lib/counted.js';
import { allHoldingsOf, type Holdings, holdingsOf } from '../lib/descriptors.js';
import { processes, startTickOf } from '../lib/proc.js';

/** Who a subject is at this moment. */
export interface SubjectView {
  /** Its living processes with the tick each began at, protected ones left out. */
  members(): ReadonlyMap<number, number>;
  /** A process that is never to lose a socket. */
  isProtected(pid: number): boolean;
  /** True when the process descends from one of the members. */
  isOffspring(pid: number, members: ReadonlySet<number>): boolean;
  /** Ids of its cgroups and of all below, when it is made of cgroups. */
  cgroups(): ReadonlySet<bigint>;
  /** True when protected processes live among the members. */
  spares(): boolean;
  /** True when the decision has been lifted meanwhile: then nothing more is destroyed. */
  isOver(): boolean;
}

export interface Holder {
  readonly pid: number;
  readonly fd: number;
}

/** Who holds which socket, at about the same moment. */
export interface Holders {
  readonly members: ReadonlySet<number>;
  /** The members' sockets by inode: who of them holds one, and by which descriptor. */
  readonly own: ReadonlyMap<number, readonly Holder[]>;
  /** Other processes that hold a socket, by inode. */
  readonly others: ReadonlyMap<number, readonly number[]>;
  /** A path to each network namespace; those of the members first. */
  readonly netns: readonly string[];
  /** Why not all that the members hold could be seen. */
  readonly unseen: string | undefined;
}

/** Processes looked at before the loop has its turn again. */
const STEP = 8;

const push = <K, V>(lists: Map<K, V[]>, key: K, value: V): void => {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
};

export const look = async (view: Pick<SubjectView, 'members'>): Promise<Holders> => {
  const wanted = view.members();
  const members = new Set<number>();
  const own = new Map<number, Holder[]>();
  const others = new Map<number, number[]>();
  const near = new Map<string, string>();
  const far = new Map<string, string>();
  let looked = 0;
  let refused = 0;
  const take = async (pid: number, { sockets, netns, isRefused }: Holdings): Promise<void> => {
    if (isRefused && members.has(pid)) refused++;
    for (const [name, path] of netns) (members.has(pid) ? near : far).set(name, path);
    for (const [inode, fd] of sockets) {
      if (members.has(pid)) push(own, inode, { pid, fd });
      else push(others, inode, pid);
    }
    if (++looked % STEP === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  for (const [pid, startTick] of wanted) {
    const holdings = allHoldingsOf(pid);
    /* looked at again afterwards: had its id been given away, what was read would be another process's */
    if (startTickOf(pid) !== startTick) continue;
    members.add(pid);
    await take(pid, holdings);
  }
  for (const pid of processes()) if (!members.has(pid)) await take(pid, holdingsOf(pid));
  for (const name of near.keys()) far.delete(name);
  const unseen = refused === 0 ? undefined : unseenText(refused);
  return { members, own, others, netns: [...near.values(), ...far.values()], unseen };
};

const unseenText = (count: number): string =>
  `the kernel hides what ${counted(count, 'process', 'processes')} hold (CAP_SYS_PTRACE is missing)`;

/**
 * A socket that a protected process holds too is never the subject's alone. One made in the subject's own cgroup is
 * its own, whoever was handed it; any other only when all who hold it besides are its offspring: a listener inherited
 * from a parent that lives, or a connection that was handed over by a stranger, is the stranger's.
 */
export const isOthers = (
  inode: number,
  { members, others }: Holders,
  view: SubjectView,
  isMadeInside: boolean,
): boolean => {
  const holders = others.get(inode) ?? [];
  if (holders.some((pid) => view.isProtected(pid))) return true;
  return !isMadeInside && holders.some((pid) => !view.isOffspring(pid, members));
};

/** Writes with open sockets who holds them, so that their packets meet the verdicts on that process. */
import type { KgHolder } from '../abi/generated.js';
import type { Hold, Makers } from '../kernel/makers.js';
import { type Holders, isOthers, look, type SubjectView } from './holders.js';

/** What became of the sockets. */
export interface Held {
  readonly marked: number;
  /** The kernel did not take the mark. */
  readonly failed: number;
  readonly why?: string;
}

/** Whose sockets, and how each of them is written down. */
export interface HoldView extends Pick<SubjectView, 'members' | 'isOffspring' | 'isOver'> {
  /** Undefined when the process is gone. */
  holder(pid: number): KgHolder | undefined;
}

/** Each finds what was opened, accepted or handed over during the one before. */
const WALKS = 8;
/** Sockets marked at most, and in one piece of work. */
const SOCKETS_MAX = 262_144;
const BATCH = 2048;
/** Sockets judged before the loop has its turn again. */
const STEP = 64;
const PID_1 = 1;
const EPERM = 1;
/** The process, or its descriptor, is gone: it holds the socket no longer. */
const GONE: ReadonlySet<number> = new Set([3, 9]);

type IsBelow = (pid: number, above: number) => boolean;
/** Who is to be written down for a socket; undefined: nobody. */
type Judge = (inode: number, host: Holders, isBelow: IsBelow) => number | undefined;

/**
 * Sockets that no hook saw being made. One that several hold is written down for the process all others descend
 * from, since they have it from there; where strangers share one, a block of either would cut the other off.
 */
export const holdOlder = (makers: Makers, view: HoldView): Promise<Held> =>
  hold(makers, view, true, (inode, { own, others }, isBelow) =>
    eldest(pidsOf(inode, own).concat(others.get(inode) ?? []), isBelow),
  );

/** Sockets of a subject, whoever made them, but for those that are others' too: the same as `sever` ends. */
export const holdSubject = (makers: Makers, view: HoldView & SubjectView): Promise<Held> =>
  hold(makers, view, false, (inode, host, isBelow) => {
    if (isOthers(inode, host, view, false)) return undefined;
    const holders = pidsOf(inode, host.own);
    return eldest(holders, isBelow) ?? holders[0];
  });

const pidsOf = (inode: number, own: Holders['own']): number[] => (own.get(inode) ?? []).map(({ pid }) => pid);

/** PID 1 hands out what it holds, and is not told apart from those it serves. */
const eldest = (holders: readonly number[], isBelow: IsBelow): number | undefined => {
  if (holders.length > 1 && holders.includes(PID_1)) return undefined;
  return holders.find((one) => holders.every((other) => other === one || isBelow(other, one)));
};

const hold = async (makers: Makers, view: HoldView, unmadeOnly: boolean, judge: Judge): Promise<Held> => {
  const seen = new Set<number>();
  const causes = new Set<string>();
  const count = { marked: 0, failed: 0 };
  for (let walk = 0; walk < WALKS; walk++) {
    const holds = await newOnes(view, judge, seen, causes);
    if (holds.length === 0) break;
    for (let from = 0; from < holds.length && !view.isOver(); from += BATCH) {
      const errnos = await makers.hold(holds.slice(from, from + BATCH), unmadeOnly);
      const failed = errnos.filter((errno) => errno > 0 && !GONE.has(errno));
      count.marked += errnos.filter((errno) => errno === 0).length;
      count.failed += failed.length;
      for (const errno of failed) causes.add(causeOf(errno));
    }
  }
  return { ...count, ...(causes.size === 0 ? {} : { why: [...causes].join('; ') }) };
};

const causeOf = (errno: number): string =>
  errno === EPERM ? 'the kernel hands out no descriptors of others' : `errno ${errno}`;

/** What has not been looked at before; all of it counts as seen. */
const newOnes = async (
  view: HoldView,
  judge: Judge,
  seen: Set<number>,
  causes: Set<string>,
): Promise<Hold[]> => {
  const host = await look(view);
  if (host.unseen !== undefined) causes.add(host.unseen);
  const found = [...host.own.keys()].filter((inode) => !seen.has(inode));
  if (seen.size + found.length > SOCKETS_MAX) causes.add(`more than ${SOCKETS_MAX} sockets`);
  const isBelow = remembered((pid, above) => view.isOffspring(pid, new Set([above])));
  const holders = new Map<number, KgHolder | undefined>();
  const holds: Hold[] = [];
  for (const [index, inode] of found.slice(0, Math.max(0, SOCKETS_MAX - seen.size)).entries()) {
    if (index % STEP === 0) await new Promise((resolve) => setImmediate(resolve));
    if (view.isOver()) return [];
    const hold = holdOf(inode, host, judge(inode, host, isBelow), (pid) => {
      if (!holders.has(pid)) holders.set(pid, view.holder(pid));
      return holders.get(pid);
    });
    if (hold) holds.push(hold);
  }
  for (const inode of found) seen.add(inode);
  return holds;
};

const holdOf = (
  inode: number,
  { own }: Holders,
  pid: number | undefined,
  holderOf: HoldView['holder'],
): Hold | undefined => {
  const fd = own.get(inode)?.find((one) => one.pid === pid)?.fd;
  const holder = pid === undefined || fd === undefined ? undefined : holderOf(pid);
  return pid === undefined || fd === undefined || !holder ? undefined : { pid, fd, inode, holder };
};

/** Hundreds of workers share their sockets with one parent: each is asked about once. */
const remembered = (isBelow: IsBelow): IsBelow => {
  const known = new Map<string, boolean>();
  return (pid, above) => {
    const key = `${pid}<${above}`;
    const answer = known.get(key) ?? isBelow(pid, above);
    known.set(key, answer);
    return answer;
  };
};

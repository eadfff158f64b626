/** Which sockets a process holds, and in which network namespaces it works. Every answer may be old at once. */
import { readdirSync, readlinkSync } from 'node:fs';

export interface Holdings {
  /** Sockets among its descriptors: a descriptor of each, by inode; of the main thread's where it has one. */
  readonly sockets: Map<number, number>;
  /** A path of each network namespace its threads are in, by the namespace's own name. */
  readonly netns: Map<string, string>;
  /** True when the kernel would not tell (CAP_SYS_PTRACE is missing): what was found is not all. */
  isRefused: boolean;
}

const SOCKET = /^socket:\[(\d+)\]$/;

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** `task` is a folder of /proc that stands for a process or one of its threads. */
const addTask = (task: string, holdings: Holdings): void => {
  const { sockets, netns } = holdings;
  const link = (path: string): string | undefined => {
    try {
      return readlinkSync(path);
    } catch (error) {
      if ((error as { code?: string }).code === 'EACCES') holdings.isRefused = true;
      return undefined; /* closed meanwhile, or the process is gone */
    }
  };
  for (const fd of list(`${task}/fd`)) {
    const inode = SOCKET.exec(link(`${task}/fd/${fd}`) ?? '')?.[1];
    if (inode !== undefined && !sockets.has(Number(inode))) sockets.set(Number(inode), Number(fd));
  }
  const name = link(`${task}/ns/net`);
  if (name !== undefined && !netns.has(name)) netns.set(name, `${task}/ns/net`);
};

/** By its main thread: what others share with it is there, unless one hides it in a table of its own. */
export const holdingsOf = (pid: number): Holdings => {
  const holdings: Holdings = { sockets: new Map(), netns: new Map(), isRefused: false };
  addTask(`/proc/${pid}`, holdings);
  return holdings.netns.size > 0 ? holdings : allHoldingsOf(pid);
};

/** By each of its threads, the main one first: any may have left the common table of descriptors, or the namespace. */
export const allHoldingsOf = (pid: number): Holdings => {
  const holdings: Holdings = { sockets: new Map(), netns: new Map(), isRefused: false };
  for (const tid of list(`/proc/${pid}/task`)) addTask(`/proc/${pid}/task/${tid}`, holdings);
  return holdings;
};

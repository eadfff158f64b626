/** Which sockets a process holds, and in which network namespaces it works. Every answer may be old at once. */
import { readdirSync, readlinkSync } from 'node:fs';

export interface Holdings {
  /** Inodes of the sockets among its descriptors. */
  readonly sockets: Set<number>;
  /** A path of each network namespace its threads are in, by the namespace's own name. */
  readonly netns: Map<string, string>;
}

const SOCKET = /^socket:\[(\d+)\]$/;

const list = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

const link = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

/** `task` is a folder of /proc that stands for a process or one of its threads. */
const addTask = (task: string, { sockets, netns }: Holdings): void => {
  for (const fd of list(`${task}/fd`)) {
    const inode = SOCKET.exec(link(`${task}/fd/${fd}`) ?? '')?.[1];
    if (inode !== undefined) sockets.add(Number(inode));
  }
  const name = link(`${task}/ns/net`);
  if (name !== undefined && !netns.has(name)) netns.set(name, `${task}/ns/net`);
};

/** By its main thread: what others share with it is there, unless one hides it in a table of its own. */
export const holdingsOf = (pid: number): Holdings => {
  const holdings: Holdings = { sockets: new Set(), netns: new Map() };
  addTask(`/proc/${pid}`, holdings);
  return holdings.netns.size > 0 ? holdings : allHoldingsOf(pid);
};

/** By each of its threads: any may have left the common table of descriptors, or the namespace. */
export const allHoldingsOf = (pid: number): Holdings => {
  const holdings: Holdings = { sockets: new Set(), netns: new Map() };
  for (const tid of list(`/proc/${pid}/task`)) addTask(`/proc/${pid}/task/${tid}`, holdings);
  return holdings;
};

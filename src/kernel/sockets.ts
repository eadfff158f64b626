/** The sockets of network namespaces as the kernel tells of them, and how they are destroyed. */
import type { Native } from './native.js';

/** Bytes of a row, and where its fields lie; as in native/src/diag.h. */
const ROW = 72;
const AT = { state: 1, protocol: 2, sport: 4, dport: 6, inode: 8, uid: 12, cookie: 16, cgroup: 24, src: 40 };

export const TCP = 6;
export const UDP = 17;
const NAMES: Readonly<Record<number, string>> = {
  [TCP]: 'TCP',
  [UDP]: 'UDP',
  132: 'SCTP',
  136: 'UDP-Lite',
  255: 'raw',
  262: 'MPTCP',
};

export const protocolName = (protocol: number): string => NAMES[protocol] ?? `protocol ${protocol}`;

export interface HostSocket {
  readonly protocol: number;
  /** As in the kernel's tcp_states.h; 7 is a socket that is not connected. */
  readonly state: number;
  readonly sport: number;
  readonly dport: number;
  /** 0: no process holds it by a descriptor. */
  readonly inode: number;
  readonly uid: number;
  readonly cookie: bigint;
  /** Of the cgroup it was made in; 0n where the kernel does not tell. */
  readonly cgroup: bigint;
  /** Protocol-independent: both addresses and ports. An MPTCP connection and its first flow have the same. */
  readonly ends: string;
  /** What `destroySockets` needs of it. */
  readonly row: Uint8Array;
}

export const netnsOf = (pid: number): string => `/proc/${pid}/ns/net`;

/** Throws NativeError; ENOENT when the process is gone. */
export const listSockets = async (
  native: Native,
  netns: string,
): Promise<{ sockets: HostSocket[]; missing: number[] }> => {
  const { rows, missing } = await native.sockDump(netns);
  const sockets: HostSocket[] = [];
  for (let at = 0; at < rows.length; at += ROW) sockets.push(socketOf(rows.subarray(at, at + ROW)));
  return { sockets, missing };
};

const socketOf = (row: Uint8Array): HostSocket => {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  return {
    protocol: view.getUint16(AT.protocol, true),
    state: view.getUint8(AT.state),
    sport: view.getUint16(AT.sport, true),
    dport: view.getUint16(AT.dport, true),
    inode: view.getUint32(AT.inode, true),
    uid: view.getUint32(AT.uid, true),
    cookie: view.getBigUint64(AT.cookie, true),
    cgroup: view.getBigUint64(AT.cgroup, true),
    ends: Buffer.concat([row.subarray(AT.sport, AT.inode), row.subarray(AT.src)]).toString('hex'),
    row,
  };
};

/** An errno for each, 0 where it was done. Throws NativeError when the namespace cannot be entered. */
export const destroySockets = (
  native: Native,
  netns: string,
  sockets: readonly HostSocket[],
): Promise<number[]> =>
  sockets.length === 0
    ? Promise.resolve([])
    : native.sockDestroy(netns, Buffer.concat(sockets.map(({ row }) => row)));

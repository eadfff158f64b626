/** The sockets of network namespaces as the kernel tells of them, and how they are destroyed. */
import type { Native } from './native.js';

/** Bytes of a row, and where its fields lie; as in native/src/diag.h. */
const ROW = 72;
const AT = { state: 1, protocol: 2, sport: 4, dport: 6, inode: 8, uid: 12, cookie: 16, cgroup: 24, src: 40 };

export const TCP = 6;
export const UDP = 17;
export const MPTCP = 262;
const NAMES: Readonly<Record<number, string>> = {
  [TCP]: 'TCP',
  [UDP]: 'UDP',
  132: 'SCTP',
  136: 'UDP-Lite',
  255: 'raw',
  [MPTCP]: 'MPTCP',
};

export const protocolName = (protocol: number): string => NAMES[protocol] ?? `protocol ${protocol}`;

/** One row, read when asked: a busy host has a hundred thousand of them. */
export class HostSocket {
  /** What `destroySockets` needs of it. */
  readonly row: Buffer;

  constructor(row: Buffer) {
    this.row = row;
  }

  get protocol(): number {
    return this.row.readUInt16LE(AT.protocol);
  }

  /** As in the kernel's tcp_states.h; 7 is a socket that is not connected. */
  get state(): number {
    return this.row[AT.state] ?? 0;
  }

  get sport(): number {
    return this.row.readUInt16LE(AT.sport);
  }

  get dport(): number {
    return this.row.readUInt16LE(AT.dport);
  }

  /** 0: no process holds it by a descriptor. */
  get inode(): number {
    return this.row.readUInt32LE(AT.inode);
  }

  get uid(): number {
    return this.row.readUInt32LE(AT.uid);
  }

  get cookie(): bigint {
    return this.row.readBigUInt64LE(AT.cookie);
  }

  /** Of the cgroup it was made in; 0n where the kernel does not tell. */
  get cgroup(): bigint {
    return this.row.readBigUInt64LE(AT.cgroup);
  }

  /** Both addresses and ports: an MPTCP connection and its first flow have the same. */
  get ends(): string {
    return this.row.toString('hex', AT.sport, AT.inode) + this.row.toString('hex', AT.src);
  }
}

export const netnsOf = (pid: number): string => `/proc/${pid}/ns/net`;

/** Throws NativeError; ENOENT when the process is gone. */
export const listSockets = async (
  native: Native,
  netns: string,
): Promise<{ sockets: HostSocket[]; missing: number[] }> => {
  const { rows, missing } = await native.sockDump(netns);
  const all = Buffer.from(rows.buffer, rows.byteOffset, rows.byteLength);
  const sockets: HostSocket[] = [];
  for (let at = 0; at < all.length; at += ROW) sockets.push(new HostSocket(all.subarray(at, at + ROW)));
  return { sockets, missing };
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

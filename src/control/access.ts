/** Who may do what over the control socket: root changes, members of group kerngate read. */
import { readFileSync } from 'node:fs';
import type { Peer } from './api.js';

export type Access = 'change' | 'read' | 'none';

/** Members of this group may read. */
export const READER_GROUP = 'kerngate';

export interface AccountFiles {
  readonly group: string;
  readonly passwd: string;
}

const FILES: AccountFiles = { group: '/etc/group', passwd: '/etc/passwd' };

/** Colon separated fields of the lines of an account file; a missing file has none. */
const rows = (path: string): string[][] => {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return []; // closed: who cannot be looked up is no member.
  }
};

const groupRow = (files: AccountFiles): string[] | undefined =>
  rows(files.group).find(([name]) => name === READER_GROUP);

/** Group id of the readers, or undefined when this host has no such group. */
export const readerGroupId = (files = FILES): number | undefined => {
  const gid = groupRow(files)?.[2];
  return gid !== undefined && /^\d+$/.test(gid) ? Number(gid) : undefined;
};

/**
 * What a peer may do. Membership is the primary group or a line of /etc/group; groups that only a
 * directory service knows are not seen (the socket's own mode still lets them no further than here).
 */
export const accessOf = (peer: Peer, files = FILES): Access => {
  if (peer.uid === 0) return 'change';
  const group = groupRow(files);
  if (group === undefined || !/^\d+$/.test(group[2] ?? '')) return 'none';
  if (peer.gid === Number(group[2])) return 'read';
  const user = rows(files.passwd).find(([, , uid]) => uid === String(peer.uid));
  const members = (group[3] ?? '').split(',');
  return user?.[0] && members.includes(user[0]) ? 'read' : 'none';
};

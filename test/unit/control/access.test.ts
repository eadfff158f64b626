/** Who counts as a reader. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accessOf, readerGroupId } from '../../../src/control/access.js';
import { scratchFolder } from './fake-api.js';

const accounts = (group: string, passwd = 'root:x:0:0::/:\nann:x:1000:1000::/:\nbob:x:1001:1001::/:\n') => {
  const folder = scratchFolder();
  const files = { group: join(folder, 'group'), passwd: join(folder, 'passwd') };
  writeFileSync(files.group, group);
  writeFileSync(files.passwd, passwd);
  return files;
};
const peer = (uid: number, gid: number) => ({ pid: 1, uid, gid });

describe('access', () => {
  const usual = () => accounts('users:x:100:bob\nkerngate:x:990:ann,carol\n');

  it('is change for root alone', () => {
    const files = usual();
    expect(accessOf(peer(0, 0), files)).toBe('change');
    expect(accessOf(peer(1000, 0), files)).toBe('read');
  });

  it('is read by primary and by supplementary group', () => {
    const files = usual();
    expect(accessOf(peer(1001, 990), files)).toBe('read');
    expect(accessOf(peer(1000, 1000), files)).toBe('read');
  });

  it('is none for others, for unknown users, and on a host without the group', () => {
    const files = usual();
    expect(accessOf(peer(1001, 1001), files)).toBe('none');
    expect(accessOf(peer(4711, 4711), files)).toBe('none');
    expect(accessOf(peer(1000, 990), accounts('users:x:100:ann\n'))).toBe('none');
    expect(accessOf(peer(1000, 990), { group: '/nowhere', passwd: '/nowhere' })).toBe('none');
  });

  it('is none when the group has no number', () => {
    const broken = accounts('kerngate:x::ann\n');
    expect(readerGroupId(broken)).toBeUndefined();
    expect(accessOf(peer(1000, 0), broken)).toBe('none');
  });
});

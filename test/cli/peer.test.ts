/** The kernel's own word on who asks: the real addon names the program's process and user. */
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../src/control/api.js';
import { native } from '../../src/kernel/native.js';
import { startServer } from '../unit/control/fake-api.js';
import { nowhere, start } from './program.js';

/** A server that asks the kernel, and lets in nobody of this user: the kernel's answer decides. */
const startReal = async () => {
  const peers: Peer[] = [];
  const running = await startServer({
    peerCred: (fd) => {
      const peer = native().peerCred(fd);
      peers.push(peer);
      return peer;
    },
    accessOf: ({ uid }) => (uid === process.getuid?.() ? 'none' : 'change'),
  });
  return { ...running, peers };
};

describe('peer credentials', () => {
  it('name the process that asks, and refuse it by its user', async () => {
    const { socketPath, peers, api } = await startReal();
    const { child, ended } = start(['mode', 'enforce'], { ...nowhere(), KERNGATE_SOCKET: socketPath });
    const { code, stderr } = await ended;
    expect(peers).toEqual([{ pid: child.pid, uid: process.getuid?.(), gid: process.getgid?.() }]);
    expect(code).toBe(1);
    expect(stderr).toContain(`user id ${process.getuid?.()} may not talk to the agent`);
    expect(api.changes).toEqual([]);
  });
});

/** What this kernel offers, tried with programs of the tests' own: the agent's word is compared with it. */
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { type NativeError, native } from '../../src/kernel/native.js';
import { compiledBpf } from './fixtures/compile.js';

export type Offer = 'fentry' | 'kprobe' | 'lsm' | 'fmod_ret';

/** A TCP and a UDP connect of this process, whatever becomes of them. */
const reachOut = async (): Promise<void> => {
  const tcp = connect({ host: '127.0.0.1', port: 1 });
  await new Promise<void>((resolve) => tcp.once('error', () => resolve()).once('connect', () => resolve()));
  tcp.destroy();
  const udp = createSocket('udp4');
  await new Promise<void>((resolve) => udp.connect(9, '127.0.0.1', () => resolve()));
  udp.close();
};

/** True when a program attached there runs; one that attaches and never runs is no offer. */
export const isOffered = async (offer: Offer): Promise<boolean> => {
  const api = native();
  const object = api.objectOpen(compiledBpf('offers'));
  try {
    api.setAutoload(object, offer, true);
    api.objectLoad(object);
    const link = api.attach(object, offer, -1);
    await reachOut();
    const count = new Uint8Array(8);
    const fd = api.objectMapFd(object, 'runs');
    api.mapLookup(fd, new Uint8Array(4), count, 0);
    api.closeFd(fd);
    api.linkClose(link);
    return count.some((byte) => byte !== 0);
  } catch (error) {
    if ((error as NativeError).code === undefined) throw error;
    return false;
  } finally {
    api.objectClose(object);
  }
};

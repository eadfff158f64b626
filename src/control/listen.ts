/** Makes the socket file: refuses a live agent's, replaces a dead one's, never open to others meanwhile. */
import { chmodSync, chownSync, lstatSync, type Stats, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { makeFolders } from '../lib/folders.js';
import { KerngateError } from '../model/error.js';
import { readerGroupId } from './access.js';

/** sun_path of struct sockaddr_un holds 108 bytes with the final zero (include/uapi/linux/un.h). */
const MAX_PATH = 107;

/** A live agent accepts at once; a full backlog or a stuck one shows as a wait. */
const PROBE_MS = 2_000;

type Probe = 'live' | 'dead' | 'gone';

const probe = (path: string): Promise<Probe> =>
  new Promise((answer) => {
    const socket = connect(path);
    const finish = (result: Probe) => {
      socket.destroy();
      answer(result);
    };
    socket.setTimeout(PROBE_MS, () => finish('live'));
    socket.once('connect', () => finish('live'));
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT') finish('gone');
      else finish(code === 'ECONNREFUSED' ? 'dead' : 'live');
    });
  });

const statOf = (path: string): Stats | undefined => {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Removes the socket of an agent that died; throws for a live one and for what is no socket. */
const clearStale = async (path: string): Promise<void> => {
  const stats = statOf(path);
  if (stats === undefined) return;
  if (!stats.isSocket()) {
    throw new KerngateError(`${path} exists and is no socket`, {
      remedy: 'Remove it, or name another path with --socket.',
    });
  }
  const state = await probe(path);
  if (state === 'live') {
    throw new KerngateError(`another agent answers on ${path}`, {
      remedy: 'Stop it, or give this one paths of its own: --socket, --state, --pin.',
    });
  }
  if (state === 'dead') unlinkSync(path);
};

/** Makes the folder when it is missing: 0750, so that only root and the readers reach the socket. */
const makeFolder = (path: string, readers: number | undefined): void => {
  const folder = dirname(path);
  const made = makeFolders(folder, 0o750);
  if (made && readers !== undefined) chownSync(folder, -1, readers);
};

const listening = (server: Server, path: string): Promise<void> =>
  new Promise((done, fail) => {
    server.once('error', fail);
    const mask = process.umask(0o177);
    try {
      // The file is made inside this call, so no other file of the process meets the tight mask.
      server.listen(path, () => {
        server.off('error', fail);
        done();
      });
    } finally {
      process.umask(mask);
    }
  });

/** Listens on `path` with mode 0660 for root and, where it exists, group kerngate. Throws KerngateError. */
export const listenOn = async (server: Server, path: string): Promise<void> => {
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw new KerngateError(`the socket path ${path} is longer than ${MAX_PATH} bytes`, {
      remedy: 'Name a shorter one with --socket.',
    });
  }
  const readers = readerGroupId();
  try {
    makeFolder(path, readers);
    await clearStale(path);
    await listening(server, path);
    if (readers !== undefined) chownSync(path, -1, readers);
    chmodSync(path, 0o660);
  } catch (cause) {
    if (cause instanceof KerngateError) throw cause;
    throw new KerngateError(`cannot listen on ${path}: ${(cause as Error).message}`, {
      remedy: 'Run as root, or name another path with --socket.',
      cause,
    });
  }
};

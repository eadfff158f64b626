/** Who is connected: credentials taken once at connection time, and places kept free for root. */
import type { Socket } from 'node:net';
import { type Access, accessOf } from './access.js';
import type { Peer } from './api.js';
import type { Caller } from './request.js';

const UNKNOWN: Caller = { peer: undefined, access: 'none' };

/** Descriptor of a connected socket. The field is private to Node: when it goes, nobody is authorised. */
const fdOf = (socket: Socket): number | undefined =>
  (socket as unknown as { _handle?: { fd?: number } })._handle?.fd;

export interface ConnectionOptions {
  readonly peerCred: (fd: number) => Peer;
  readonly accessOf?: ((peer: Peer) => Access) | undefined;
  /** Connections of others than root; the rest of the server's places stay free for root. */
  readonly maxOthers: number;
}

export class Connections {
  readonly #options: ConnectionOptions;
  readonly #callers = new WeakMap<Socket, Caller>();
  #others = 0;
  opened = 0;
  refused = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /** Takes a new connection's credentials. Undefined: it was refused and is closed. */
  accept(socket: Socket): Caller | undefined {
    const caller = this.#identify(socket);
    this.opened++;
    if (caller.access !== 'change' && !this.#admit(socket)) return undefined;
    this.#callers.set(socket, caller);
    return caller;
  }

  callerOf(socket: Socket): Caller {
    return this.#callers.get(socket) ?? UNKNOWN;
  }

  /** Readers may fill their own places, never root's: whoever can unblock must always get in. */
  #admit(socket: Socket): boolean {
    if (this.#others >= this.#options.maxOthers) {
      this.refused++;
      socket.destroy();
      return false;
    }
    this.#others++;
    socket.once('close', () => this.#others--);
    return true;
  }

  #identify(socket: Socket): Caller {
    const fd = fdOf(socket);
    if (fd === undefined || fd < 0) return UNKNOWN;
    try {
      const peer = this.#options.peerCred(fd);
      return { peer, access: (this.#options.accessOf ?? accessOf)(peer) };
    } catch {
      return UNKNOWN; // closed: who cannot be identified may do nothing.
    }
  }
}

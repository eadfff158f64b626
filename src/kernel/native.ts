/** The native addon's interface, and the only place that loads it. Arguments are validated by the callers. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { KerngateError } from '../model/error.js';

/** Opaque handles; each is released by its `close` function or when it is collected. */
export interface ObjectHandle {
  readonly object: unique symbol;
}
export interface LinkHandle {
  readonly link: unique symbol;
}
export interface RingHandle {
  readonly ring: unique symbol;
}

/** Thrown by every call below that fails: `code` is an errno name, `log` the tail of the verifier log. */
export interface NativeError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly log?: string;
}

export interface Native {
  readonly libbpfVersion: string;

  /** Parses an object file. Nothing reaches the kernel before `objectLoad`. */
  objectOpen(path: string): ObjectHandle;
  /** Names of the programs in the object. */
  objectPrograms(object: ObjectHandle): string[];
  /** Chooses before load whether a program is loaded. */
  setAutoload(object: ObjectHandle, program: string, autoload: boolean): void;
  setMaxEntries(object: ObjectHandle, map: string, entries: number): void;
  /** Uses the map pinned at `path` when there is one of the same definition, else creates and pins it there. */
  setMapPin(object: ObjectHandle, map: string, path: string): void;
  /** Loads maps and programs. On failure `log` holds the last lines of the verifier log. */
  objectLoad(object: ObjectHandle): void;
  objectClose(object: ObjectHandle): void;
  /** A new descriptor of a loaded object's map; the caller closes it with `closeFd`. */
  objectMapFd(object: ObjectHandle, map: string): number;
  /** Id, verified instructions (0 before 5.16) and jited bytes of a loaded program. */
  programInfo(object: ObjectHandle, program: string): { id: number; insns: number; jited: number };
  /**
   * Runs a loaded packet program once without attaching it; what it made of the packet replaces the bytes
   * in `packet`. Returns the program's return value. For tests and benches.
   */
  programRun(object: ObjectHandle, program: string, packet: Uint8Array): number;

  /** Attaches to a cgroup (by descriptor) when the program is a cgroup program, else by its section name. */
  attach(object: ObjectHandle, program: string, cgroupFd: number): LinkHandle;
  /** Also one whose pin was taken away. */
  linkPin(link: LinkHandle, path: string): void;
  linkOpen(path: string): LinkHandle;
  /** Pins the program of a link that was attached or updated here. */
  linkPinProgram(link: LinkHandle, path: string): void;
  /** Takes the program pinned at `path` for the one the link runs; false when it is another one, or none. */
  linkOpenProgram(link: LinkHandle, path: string): boolean;
  /** Replaces the program of a cgroup link in place, atomically. */
  linkUpdate(link: LinkHandle, object: ObjectHandle, program: string): void;
  /**
   * Program id a link runs, the cgroup id it is attached to (0n when it is no cgroup link), and how often the
   * kernel left the program out since it was at work on that CPU already: undefined when its program was neither
   * attached nor opened here, and CAP_SYS_ADMIN is missing.
   */
  linkInfo(link: LinkHandle): {
    id: number;
    programId: number;
    cgroupId: bigint;
    missed: number | undefined;
  };
  /** Ids of the maps its program uses; none where `missed` were undefined. */
  linkMaps(link: LinkHandle): number[];
  /**
   * For a cgroup link that somebody detached: attaches the same program at the same place of the cgroup again,
   * by a new link that is pinned at `path`. The old handle stays what it is.
   */
  linkRenew(link: LinkHandle, cgroupFd: number, path: string): void;
  /** Pins what a descriptor of a map or program stands for. */
  objPin(fd: number, path: string): void;
  /** Programs attached to a cgroup itself, and how: 0 alone, 1 to be overridden below, 2 beside others. */
  cgroupPrograms(cgroupFd: number, attachType: number): { flags: number; ids: number[] };
  /** Name of a program by its id, at most 15 characters. */
  programName(id: number): string;
  /** Detaches even if other references exist. */
  linkDetach(link: LinkHandle): void;
  /** Drops our reference; a pinned link stays attached. */
  linkClose(link: LinkHandle): void;

  /** Opens a pinned map. */
  mapOpen(path: string): number;
  mapInfo(fd: number): {
    type: number;
    keySize: number;
    valueSize: number;
    maxEntries: number;
    name: string;
    id: number;
  };
  /** Copies the value into `value`; false when the key is absent. `flags`: 4 = BPF_F_LOCK. */
  mapLookup(fd: number, key: Uint8Array, value: Uint8Array, flags: number): boolean;
  /** `flags`: 0 any, 1 no-exist, 2 exist, 4 BPF_F_LOCK. */
  mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags: number): void;
  /** False when the key was absent. */
  mapDelete(fd: number, key: Uint8Array): boolean;
  /** All keys, one after the other. Keys that come and go during the walk may or may not be in it. */
  mapKeys(fd: number, keySize: number): Uint8Array;
  closeFd(fd: number): void;

  /**
   * Drains ring buffers on the event loop. Records of `words` 32-bit words are copied into
   * `rows` (a Uint32Array of capacity × (words + 2)): word w of record i at `rows[i * (words + 2) + w]`.
   * A longer record's tail bytes are appended to `tail`; word `words` holds their offset and word
   * `words + 1` their length (0: none; a tail that no longer fits ends the batch early). Rings are
   * drained in the order given. `onBatch(count)` is called once per batch and must consume the
   * rows before it returns. After a wake-up that found data the rings are drained again each
   * `intervalMs` until `idleTicks` ticks in a row found nothing; then only the kernel's wake-up does.
   * A record shorter than `words` words is counted in `ringStats().short` and skipped.
   */
  ringOpen(
    fds: number[],
    options: {
      words: number;
      capacity: number;
      rows: Uint32Array;
      tail: Uint8Array;
      intervalMs: number;
      idleTicks: number;
    },
    onBatch: (count: number) => void,
  ): RingHandle;
  /** Drains now, synchronously; returns the number of records handed over. */
  ringDrain(ring: RingHandle): number;
  ringStats(ring: RingHandle): { records: number; batches: number; short: number; pendingBytes: number };
  ringClose(ring: RingHandle): void;

  /** Peer of a connected unix socket. */
  peerCred(fd: number): { pid: number; uid: number; gid: number };
  /** Takes (exclusive) or drops an advisory lock; throws EWOULDBLOCK when `wait` is false and it is held. */
  flock(fd: number, how: 'exclusive' | 'unlock', wait: boolean): void;
  /** CLOCK_BOOTTIME in nanoseconds; exact below 2^53. */
  bootNs(): number;
  /** Sends a datagram to $NOTIFY_SOCKET; false when there is none. */
  sdNotify(state: string): boolean;

  /**
   * Every socket of a network namespace (`/proc/PID/ns/net`) that the kernel tells of, as rows that
   * `src/kernel/sockets.ts` reads; `missing` are the protocols it does not answer for. Rejects with a NativeError.
   */
  sockDump(netns: string): Promise<{ rows: Uint8Array; missing: number[] }>;
  /**
   * Destroys the sockets of these rows; an errno each, 0 where it was done. ENOENT: it is gone; EOPNOTSUPP: the
   * kernel cannot. A row names its socket by cookie, so another one of the same address is never met.
   */
  sockDestroy(netns: string, rows: Uint8Array): Promise<number[]>;
  /**
   * Writes parts of the values of other processes' sockets in a map of sockets, off the loop. `rows`: pid, descriptor
   * and inode of each, 32 bits each; `parts`: bytes for each, which go to offset `at` of its value. Answers an errno
   * for each, 0 where it was done, and -1 for what is no internet socket, is another one by now, or, with
   * `unmadeOnly`, has anything but zeros before `at`.
   */
  sockMark(
    mapFd: number,
    rows: Uint8Array,
    parts: Uint8Array,
    at: number,
    unmadeOnly: boolean,
  ): Promise<Int32Array>;
  /** Reads one of them into `value`; answers the socket's inode, null when it has none. */
  sockMarkOf(mapFd: number, pid: number, fd: number, value: Uint8Array): number | null;
}

let loaded: Native | undefined;

/** Loads the addon once. Throws KerngateError when it was not built. */
export const native = (): Native => {
  if (loaded) return loaded;
  const path = fileURLToPath(new URL('../../native/build/Release/kerngate.node', import.meta.url));
  try {
    loaded = createRequire(import.meta.url)(path) as Native;
  } catch (cause) {
    throw new KerngateError(`cannot load the native addon ${path}: ${(cause as Error).message}`, {
      remedy: 'Build it with: npm run setup',
      cause,
    });
  }
  return loaded;
};

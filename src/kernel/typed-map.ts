/** A BPF map with encoded keys and values; user space never writes a byte by hand. */
import type { Native } from './native.js';

export const FLAG = { any: 0, noExist: 1, exist: 2, lock: 4 } as const;

export interface Codec<T> {
  readonly size: number;
  encode(value: T): Uint8Array;
  decode(view: DataView): T;
}

const bytes = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const viewOf = (array: Uint8Array): DataView =>
  new DataView(array.buffer, array.byteOffset, array.byteLength);

/** A codec from a generated pair. */
export const codec = <T>(
  size: number,
  encode: (value: T) => DataView,
  decode: (view: DataView) => T,
): Codec<T> => ({
  size,
  encode: (value) => bytes(encode(value)),
  decode,
});

export const u32: Codec<number> = codec(
  4,
  (value) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value, true);
    return view;
  },
  (view) => view.getUint32(0, true),
);

export const u64: Codec<bigint> = codec(
  8,
  (value) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, value, true);
    return view;
  },
  (view) => view.getBigUint64(0, true),
);

export class TypedMap<K, V> {
  readonly name: string;
  private readonly native: Native;
  private readonly fd: number;
  private readonly key: Codec<K>;
  private readonly value: Codec<V>;
  /** BPF_F_LOCK for maps whose values carry a lock, so that no half-written value is read or written. */
  private readonly lock: number;

  constructor(native: Native, name: string, fd: number, key: Codec<K>, value: Codec<V>, locked = false) {
    this.native = native;
    this.name = name;
    this.fd = fd;
    this.key = key;
    this.value = value;
    this.lock = locked ? FLAG.lock : 0;
  }

  get(key: K): V | undefined {
    const value = new Uint8Array(this.value.size);
    return this.native.mapLookup(this.fd, this.key.encode(key), value, this.lock)
      ? this.value.decode(viewOf(value))
      : undefined;
  }

  /** Throws NativeError: E2BIG when the map is full, ENOENT or EEXIST by `flags`. */
  set(key: K, value: V, flags: number = FLAG.any): void {
    this.native.mapUpdate(this.fd, this.key.encode(key), this.value.encode(value), flags | this.lock);
  }

  /** False when the key was absent. */
  delete(key: K): boolean {
    return this.native.mapDelete(this.fd, this.key.encode(key));
  }

  keys(): K[] {
    const packed = this.native.mapKeys(this.fd, this.key.size);
    const keys: K[] = [];
    for (let at = 0; at + this.key.size <= packed.length; at += this.key.size) {
      keys.push(this.key.decode(viewOf(packed.subarray(at, at + this.key.size))));
    }
    return keys;
  }

  /** Entries that come and go during the walk may or may not be among them. */
  entries(): [K, V][] {
    return this.keys().flatMap((key): [K, V][] => {
      const value = this.get(key);
      return value === undefined ? [] : [[key, value]];
    });
  }

  close(): void {
    this.native.closeFd(this.fd);
  }
}

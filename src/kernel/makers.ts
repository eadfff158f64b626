/** Who made or held each socket: kept with the socket itself, and written by way of its descriptor. */
import { encodeKgHolder, KG_HOLDER_SIZE, type KgHolder } from '../abi/generated.js';
import type { Native } from './native.js';

/** A socket by a descriptor of who holds it, and who that is. */
export interface Hold {
  readonly pid: number;
  readonly fd: number;
  readonly inode: number;
  readonly holder: KgHolder;
}

/** Bytes of a row of `sockMark`. */
const ROW = 12;
/** Where `held` lies in struct kg_maker: behind `made`. */
const AT = KG_HOLDER_SIZE;

export class Makers {
  readonly fd: number;
  private readonly native: Native;

  constructor(native: Native, fd: number) {
    this.native = native;
    this.fd = fd;
  }

  /**
   * Writes who holds each, off the loop; the rest of the value stays. `unmadeOnly`: leaves those alone whose making a hook
   * saw. Answers an errno for each, 0 where it was done, -1 for what is no internet socket or is another one by now.
   */
  hold(holds: readonly Hold[], unmadeOnly: boolean): Promise<Int32Array> {
    const rows = new DataView(new ArrayBuffer(holds.length * ROW));
    const parts = new DataView(new ArrayBuffer(holds.length * KG_HOLDER_SIZE));
    for (const [index, { pid, fd, inode, holder }] of holds.entries()) {
      rows.setInt32(index * ROW, pid, true);
      rows.setInt32(index * ROW + 4, fd, true);
      rows.setUint32(index * ROW + 8, inode, true);
      encodeKgHolder(holder, parts, index * KG_HOLDER_SIZE);
    }
    return this.native.sockMark(
      this.fd,
      new Uint8Array(rows.buffer),
      new Uint8Array(parts.buffer),
      AT,
      unmadeOnly,
    );
  }

  close(): void {
    this.native.closeFd(this.fd);
  }
}

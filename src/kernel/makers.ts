/** Who made or held each socket: kept with the socket itself, and written by way of its descriptor. */
import type { Native } from './native.js';

export class Makers {
  readonly fd: number;
  private readonly native: Native;

  constructor(native: Native, fd: number) {
    this.native = native;
    this.fd = fd;
  }

  close(): void {
    this.native.closeFd(this.fd);
  }
}

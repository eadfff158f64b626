/** How often a verdict was met, by the way on which it was met; summed over all CPUs. */
import { KG_WAY } from '../abi/generated.js';
import { possibleCpus } from './counters.js';
import type { Native } from './native.js';

export interface WayCount {
  readonly denied: number;
  readonly audited: number;
}

/** `SEND_OPEN` becomes `send.open`. */
const NAMES = Object.entries(KG_WAY)
  .filter(([name]) => name !== 'NONE' && name !== 'COUNT')
  .map(([name, way]) => [name.toLowerCase().replace('_', '.'), way] as const);

export class Ways {
  private readonly native: Native;
  private readonly fd: number;
  private readonly values = new BigUint64Array(possibleCpus());

  constructor(native: Native, fd: number) {
    this.native = native;
    this.fd = fd;
  }

  /** Every way that was met, by name. */
  all(): Record<string, WayCount> {
    const counts = NAMES.map(([name, way]) => {
      return [name, { denied: this.#sum(way * 2), audited: this.#sum(way * 2 + 1) }] as const;
    });
    return Object.fromEntries(counts.filter(([, { denied, audited }]) => denied + audited > 0));
  }

  close(): void {
    this.native.closeFd(this.fd);
  }

  #sum(slot: number): number {
    const key = new Uint8Array(Uint32Array.of(slot).buffer);
    this.native.mapLookup(this.fd, key, new Uint8Array(this.values.buffer), 0);
    return Number(this.values.reduce((sum, value) => sum + value, 0n));
  }
}

/** The kernel's named counters, summed over all CPUs. */
import { readFileSync } from 'node:fs';
import { KG_COUNTER } from '../abi/generated.js';
import type { Native } from './native.js';

/** `0-3,8` names five CPUs; a per-CPU value has one slot for each possible one up to the last. */
export const possibleCpus = (text = readFileSync('/sys/devices/system/cpu/possible', 'utf8')): number =>
  Math.max(...text.trim().split(/[-,]/).map(Number)) + 1;

export type Counter = Exclude<keyof typeof KG_COUNTER, 'COUNT'>;

export class Counters {
  private readonly native: Native;
  private readonly fd: number;
  private readonly values = new BigUint64Array(possibleCpus());
  private readonly key = new Uint32Array(1);

  constructor(native: Native, fd: number) {
    this.native = native;
    this.fd = fd;
  }

  get(counter: Counter): number {
    this.key[0] = KG_COUNTER[counter];
    this.native.mapLookup(this.fd, new Uint8Array(this.key.buffer), new Uint8Array(this.values.buffer), 0);
    return Number(this.values.reduce((sum, value) => sum + value, 0n));
  }

  /** By lower-case name, as `status` shows them. */
  all(): Record<string, number> {
    const names = (Object.keys(KG_COUNTER) as (keyof typeof KG_COUNTER)[]).filter((name) => name !== 'COUNT');
    return Object.fromEntries(names.map((name) => [name.toLowerCase(), this.get(name as Counter)]));
  }

  close(): void {
    this.native.closeFd(this.fd);
  }
}

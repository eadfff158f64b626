/** The control slots every hook obeys: one 64-bit value each, so each write is atomic on its own. */
import { KG_CONTROL_SLOT } from '../abi/generated.js';
import type { Native } from './native.js';
import { TypedMap, u32, u64 } from './typed-map.js';

export type Slot = Exclude<keyof typeof KG_CONTROL_SLOT, 'COUNT'>;

export class Control {
  private readonly map: TypedMap<number, bigint>;

  constructor(native: Native, fd: number) {
    this.map = new TypedMap(native, 'kg_control', fd, u32, u64);
  }

  get(slot: Slot): bigint {
    return this.map.get(KG_CONTROL_SLOT[slot]) ?? 0n;
  }

  number(slot: Slot): number {
    return Number(this.get(slot));
  }

  set(slot: Slot, value: bigint | number): void {
    this.map.set(KG_CONTROL_SLOT[slot], BigInt(value));
  }

  close(): void {
    this.map.close();
  }
}

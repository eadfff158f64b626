/** Reads BTF, the type information the compiler leaves in the object: only what the ABI uses. */
import { textAt } from './elf.js';

const KIND = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  typedef: 8,
  volatile: 9,
  const: 10,
} as const;
/** Extra bytes after the 12 of each type, by kind; counted kinds multiply by vlen. */
const EXTRA: Readonly<Record<number, readonly [fixed: number, each: number]>> = {
  1: [4, 0],
  3: [12, 0],
  4: [0, 12],
  5: [0, 12],
  6: [0, 8],
  13: [0, 8],
  14: [4, 0],
  15: [0, 12],
  17: [4, 0],
  19: [0, 12],
};

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  /** Bytes from the start of the struct. */
  readonly offset: number;
}

export interface BtfType {
  readonly id: number;
  readonly kind: number;
  readonly name: string;
  /** Size in bytes, or the type referred to. */
  readonly value: number;
  readonly members: readonly BtfMember[];
  readonly values: readonly { readonly name: string; readonly value: number }[];
  readonly array?: { readonly type: number; readonly count: number };
}

/** All types by id; index 0 is void. Throws RangeError on a truncated section. */
export const readBtf = (section: Uint8Array): BtfType[] => {
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  if (view.getUint16(0, true) !== 0xeb9f) throw new RangeError('no BTF magic');
  const header = view.getUint32(4, true);
  const start = header + view.getUint32(8, true);
  const end = start + view.getUint32(12, true);
  const strings = section.subarray(header + view.getUint32(16, true));
  const types: BtfType[] = [{ id: 0, kind: 0, name: 'void', value: 0, members: [], values: [] }];
  for (let at = start; at < end; ) {
    const type = readType(view, strings, at, types.length);
    types.push(type);
    const [fixed, each] = EXTRA[type.kind] ?? [0, 0];
    at += 12 + fixed + each * (view.getUint32(at + 4, true) & 0xffff);
  }
  return types;
};

const readType = (view: DataView, strings: Uint8Array, at: number, id: number): BtfType => {
  const info = view.getUint32(at + 4, true);
  const kind = (info >>> 24) & 0x1f;
  const count = info & 0xffff;
  const base = {
    id,
    kind,
    name: textAt(strings, view.getUint32(at, true)),
    value: view.getUint32(at + 8, true),
    members: [] as BtfMember[],
    values: [] as { name: string; value: number }[],
  };
  if (kind === KIND.array) {
    return { ...base, array: { type: view.getUint32(at + 12, true), count: view.getUint32(at + 20, true) } };
  }
  for (let index = 0; index < count; index++) {
    if (kind === KIND.struct || kind === KIND.union) {
      const member = at + 12 + index * 12;
      base.members.push({
        name: textAt(strings, view.getUint32(member, true)),
        type: view.getUint32(member + 4, true),
        offset: (view.getUint32(member + 8, true) & 0xffffff) / 8,
      });
    } else if (kind === KIND.enum) {
      const value = at + 12 + index * 8;
      base.values.push({
        name: textAt(strings, view.getUint32(value, true)),
        value: view.getInt32(value + 4, true),
      });
    }
  }
  return base;
};

export { KIND as BTF_KIND };

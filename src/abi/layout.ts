/** The layouts kernel and agent share, as the compiler laid them out. */
import { createHash } from 'node:crypto';
import { BTF_KIND, type BtfType, readBtf } from './btf.js';
import { elfSection } from './elf.js';

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** `u8` … `u64`, `s32`, `s64`, `ip`, `comm`, `char[N]`, `u64[N]`, or the name of a struct. */
  readonly type: string;
}

export interface Struct {
  readonly name: string;
  readonly size: number;
  readonly fields: readonly Field[];
}

export interface Abi {
  readonly structs: readonly Struct[];
  readonly enums: readonly {
    readonly name: string;
    readonly values: readonly (readonly [string, number])[];
  }[];
}

/** Reads the ABI out of an object file. Throws Error when it carries none. */
export const readAbi = (object: Uint8Array): Abi => {
  const section = elfSection(object, '.BTF');
  if (!section) throw new Error('the object has no BTF');
  const types = readBtf(section);
  const carrier = types.find((type) => type.kind === BTF_KIND.union && type.name === 'kg_abi_types');
  if (!carrier) throw new Error('the object has no union kg_abi_types');
  const roots = carrier.members.map((member) => types[member.type]);
  const window = types.find((type) => type.kind === BTF_KIND.struct && type.name === 'kg_window');
  const kinds = types.filter((type) => type.kind === BTF_KIND.enum && type.name.startsWith('kg_kind_'));
  const found = new Map<string, BtfType>();
  for (const root of [...roots, window, ...kinds]) if (root) collect(types, root, found);
  const named = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    structs: named
      .filter((type) => type.kind === BTF_KIND.struct)
      .map((type) => ({
        name: type.name,
        size: type.value,
        fields: type.members.map((m) => field(types, m)),
      })),
    enums: named
      .filter((type) => type.kind === BTF_KIND.enum)
      .map((type) => ({ name: type.name, values: type.values.map((v) => [v.name, v.value] as const) })),
  };
};

/** 16 hexadecimal digits that change with any layout, name or constant. */
export const stampOf = (abi: Abi): string =>
  createHash('sha256').update(JSON.stringify(abi)).digest('hex').slice(0, 16);

const collect = (types: readonly BtfType[], type: BtfType, found: Map<string, BtfType>): void => {
  if (found.has(type.name)) return;
  found.set(type.name, type);
  for (const member of type.members) {
    const inner = strip(types, member.type);
    if (inner.kind === BTF_KIND.struct) collect(types, inner, found);
  }
};

const WRAPPERS: readonly number[] = [BTF_KIND.typedef, BTF_KIND.const, BTF_KIND.volatile];

const strip = (types: readonly BtfType[], id: number): BtfType => {
  let type = types[id];
  /* A damaged file may name types in a circle; a sound one needs fewer steps than it has types. */
  for (let step = 0; type && WRAPPERS.includes(type.kind) && step < types.length; step++)
    type = types[type.value];
  if (!type || WRAPPERS.includes(type.kind)) throw new Error(`BTF names type ${id}, which it does not have`);
  return type;
};

const SEMANTIC: Readonly<Record<string, string>> = { kg_ip: 'ip', kg_comm: 'comm' };

const field = (types: readonly BtfType[], member: { name: string; type: number; offset: number }): Field => {
  const outer = types[member.type];
  const type = strip(types, member.type);
  const semantic = outer?.kind === BTF_KIND.typedef ? SEMANTIC[outer.name] : undefined;
  const base = { name: member.name, offset: member.offset };
  if (type.array) {
    const element = strip(types, type.array.type);
    const size = element.value * type.array.count;
    return { ...base, size, type: semantic ?? `${scalar(element)}[${type.array.count}]` };
  }
  return { ...base, size: type.value, type: scalar(type) };
};

const scalar = (type: BtfType): string => {
  if (type.kind === BTF_KIND.struct) return type.name;
  if (type.kind !== BTF_KIND.int) throw new Error(`${type.name} is no integer and no struct`);
  if (type.name === 'char') return 'char';
  const signed = !/unsigned/.test(type.name) && type.value > 1;
  return `${signed ? 's' : 'u'}${type.value * 8}`;
};

/** Turns layouts into the TypeScript of generated.ts: enums, column readers, codecs, the hook table. */
import type { Abi, Field, Struct } from './layout.js';
import { stampOf } from './layout.js';

export interface HookFile {
  readonly summary: string;
  readonly role: string;
  readonly source?: string;
  readonly programs: readonly {
    readonly name: string;
    readonly attach: string;
    readonly pin: boolean;
    readonly level?: string;
    readonly optional?: boolean;
  }[];
}

/** The whole text of generated.ts. */
export const emitTypeScript = (abi: Abi, hooks: Readonly<Record<string, HookFile>>): string => {
  const event = abi.structs.find((struct) => struct.name === 'kg_event');
  if (!event) throw new Error('the ABI has no struct kg_event');
  return [
    '/** GENERATED from the BTF of bpf/build/kerngate.bpf.o by `npm run abi`. Do not edit. */',
    "import type { EventKind } from '../model/event.js';",
    `export const ABI_STAMP = '${stampOf(abi)}';`,
    ...abi.enums.filter(({ name }) => !name.startsWith('kg_kind_')).map(emitEnum),
    emitKinds(abi),
    ...abi.structs.map(emitStruct),
    emitRows(event),
    emitHooks(hooks),
    '',
  ].join('\n\n');
};

const pascal = (name: string): string =>
  name.replace(/(^|_)([a-z0-9])/g, (_all, _sep, letter: string) => letter.toUpperCase());

/** Member names lose the prefix they share: KG_CTL_PANIC becomes PANIC. */
const emitEnum = ({ name, values }: Abi['enums'][number]): string => {
  const prefix = sharedPrefix(values.map(([member]) => member));
  const rows = values.map(([member, value]) => `  ${member.slice(prefix.length)}: ${value},`);
  return `export const ${name.toUpperCase()} = {\n${rows.join('\n')}\n} as const;`;
};

const sharedPrefix = (names: readonly string[]): string => {
  const parts = names.map((name) => name.split('_'));
  let depth = 0;
  while (parts.every((words) => words.length > depth + 1 && words[depth] === parts[0]?.[depth])) depth++;
  return (parts[0] ?? [])
    .slice(0, depth)
    .map((word) => `${word}_`)
    .join('');
};

const emitKinds = (abi: Abi): string => {
  const kinds = abi.enums.filter(({ name }) => name.startsWith('kg_kind_')).flatMap(({ values }) => values);
  const seen = new Set(kinds.map(([, value]) => value));
  if (seen.size !== kinds.length) throw new Error('two hooks use the same kind number');
  const rows = [...kinds]
    .sort((a, b) => a[1] - b[1])
    .map(
      ([name, value]) => `  ${value}: '${name.replace('KG_EV_', '').toLowerCase().replaceAll('_', '.')}',`,
    );
  return `export const KINDS: Readonly<Record<number, EventKind>> = {\n${rows.join('\n')}\n};`;
};

const tsType = (type: string): string => {
  if (type === 'u64' || type === 's64') return 'bigint';
  if (/^[us]\d+$/.test(type)) return 'number';
  if (type === 'comm') return 'string';
  if (/^[us]64\[/.test(type)) return 'bigint[]';
  return type === 'ip' || type.includes('[') ? 'Uint8Array' : pascal(type);
};

const emitStruct = ({ name, size, fields }: Struct): string => {
  const shown = fields.filter((field) => !/^pad\d*$/.test(field.name));
  const title = pascal(name);
  return [
    `export interface ${title} {\n${shown.map((f) => `  ${f.name}: ${tsType(f.type)};`).join('\n')}\n}`,
    `export const ${name.toUpperCase()}_SIZE = ${size};`,
    `export const decode${title} = (view: DataView, at = 0): ${title} => ({\n${shown.map((f) => `  ${f.name}: ${decodeField(f)},`).join('\n')}\n});`,
    `export const encode${title} = (value: ${title}, view: DataView = new DataView(new ArrayBuffer(${size})), at = 0): DataView => {\n${shown.map((f) => `  ${encodeField(f)};`).join('\n')}\n  return view;\n};`,
  ].join('\n');
};

const ACCESS: Readonly<Record<string, string>> = {
  u8: 'Uint8',
  u16: 'Uint16',
  u32: 'Uint32',
  u64: 'BigUint64',
  s32: 'Int32',
  s64: 'BigInt64',
};

const decodeField = ({ type, offset, size }: Field): string => {
  const at = `at + ${offset}`;
  if (ACCESS[type]) return `view.get${ACCESS[type]}(${at}${type === 'u8' ? '' : ', true'})`;
  if (type === 'comm') return `textOf(view, ${at}, ${size})`;
  if (type.startsWith('u64['))
    return `Array.from({ length: ${size / 8} }, (_, i) => view.getBigUint64(${at} + i * 8, true))`;
  if (type === 'ip' || type.includes('[')) return `bytesOf(view, ${at}, ${size})`;
  return `decode${pascal(type)}(view, ${at})`;
};

const encodeField = ({ name, type, offset, size }: Field): string => {
  const at = `at + ${offset}`;
  if (ACCESS[type]) return `view.set${ACCESS[type]}(${at}, value.${name}${type === 'u8' ? '' : ', true'})`;
  if (type === 'comm') return `setText(view, ${at}, ${size}, value.${name})`;
  if (type.startsWith('u64['))
    return `value.${name}.forEach((item, i) => { view.setBigUint64(${at} + i * 8, item, true); })`;
  if (type === 'ip' || type.includes('[')) return `setBytes(view, ${at}, ${size}, value.${name})`;
  return `encode${pascal(type)}(value.${name}, view, ${at})`;
};

/** Word w of record i lies at rows[i * KG_ROW_WORDS + w]; smaller fields are cut out of their word. */
const emitRows = (event: Struct): string => {
  const methods = event.fields.filter((field) => !/^pad\d*$/.test(field.name)).flatMap(rowMethods);
  return `export const KG_EVENT_WORDS = ${event.size / 4};
/** Of a drained record: its own words, then offset and length of its tail. */
export const KG_ROW_WORDS = KG_EVENT_WORDS + 2;

/** Reads fields of records where the native drain put them. */
export class KgEventRows {
  private readonly r: Uint32Array;
  constructor(rows: Uint32Array) {
    this.r = rows;
  }
  private w(word: number, i: number): number {
    return this.r[i * KG_ROW_WORDS + word] as number;
  }
${methods.map((line) => `  ${line}`).join('\n')}
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
const textOf = (view: DataView, at: number, size: number): string => cut(bytesOf(view, at, size));
const bytesOf = (view: DataView, at: number, size: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, size).slice();
const setBytes = (view: DataView, at: number, size: number, value: Uint8Array): void => {
  new Uint8Array(view.buffer, view.byteOffset + at, size).set(value.subarray(0, size));
};
const setText = (view: DataView, at: number, size: number, value: string): void => {
  const room = new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0);
  room.set(Buffer.from(value, 'utf8').subarray(0, size - 1));
};
/** One buffer for all names: reading one allocates its text only. */
const shared = Buffer.alloc(64);
const shared32 = new Uint32Array(shared.buffer, shared.byteOffset, 16);
const sharedText = (size: number): string => {
  let end = 0;
  let bits = 0;
  while (end < size && shared[end] !== 0) bits |= shared[end++] as number;
  return bits < 128 ? shared.toString('latin1', 0, end) : shared.toString('utf8', 0, end);
};
/** The kernel keeps any bytes as a name; what is no UTF-8 becomes U+FFFD. */
const cut = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
};`;
};

const rowMethods = ({ name, type, offset, size }: Field): string[] => {
  const word = Math.floor(offset / 4);
  const shift = (offset % 4) * 8;
  if (type === 'u64') {
    return [
      `${name}(i: number): number { return this.w(${word}, i) + this.w(${word + 1}, i) * 2 ** 32; }`,
      `${name}_big(i: number): bigint { return BigInt(this.w(${word}, i)) | (BigInt(this.w(${word + 1}, i)) << 32n); }`,
      `${name}_hex(i: number): string { return hex(this.w(${word + 1}, i)) + hex(this.w(${word}, i)); }`,
    ];
  }
  if (type === 'u32') return [`${name}(i: number): number { return this.w(${word}, i); }`];
  if (type === 's32') return [`${name}(i: number): number { return this.w(${word}, i) | 0; }`];
  if (type === 'u16' || type === 'u8') {
    return [
      `${name}(i: number): number { return (this.w(${word}, i) >>> ${shift}) & ${size === 2 ? '0xffff' : '0xff'}; }`,
    ];
  }
  const copy = `for (let b = 0; b < ${size}; b++) out[b] = this.w(${word} + (b >> 2), i) >>> ((b & 3) * 8);`;
  if (type === 'comm') {
    const read = `for (let b = 0; b < ${size / 4}; b++) shared32[b] = this.w(${word} + b, i);`;
    return [`${name}(i: number): string { ${read} return sharedText(${size}); }`];
  }
  return [`${name}(i: number, out: Uint8Array): Uint8Array { ${copy} return out; }`];
};

const emitHooks = (hooks: Readonly<Record<string, HookFile>>): string => {
  const rows = Object.keys(hooks)
    .sort()
    .map((name) => `  ${JSON.stringify({ hook: name, ...hooks[name] })},`);
  return `export interface HookRow {
  readonly hook: string;
  readonly summary: string;
  readonly role: 'gate' | 'life' | 'outcome' | 'source';
  readonly source?: string;
  readonly programs: readonly { readonly name: string; readonly attach: 'cgroup' | 'fentry' | 'fmod_ret' | 'kprobe' | 'lsm' | 'tp_btf' | 'tracepoint'; readonly pin: boolean; readonly level?: 'lsm' | 'fmod_ret'; readonly optional?: boolean }[];
}
export const HOOKS: readonly HookRow[] = [\n${rows.join('\n')}\n];`;
};

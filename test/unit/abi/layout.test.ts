/** The layouts that are read from the object are those the compiler made, and have the shape the house rules ask for. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OBJECT_PATH } from '../../../src/kernel/object-file.js';
import { abi, codecOf, isPad } from './object.js';

interface Dumped {
  readonly kind: string;
  readonly name: string;
  readonly size: number;
  readonly members: readonly { readonly name: string; readonly bits_offset: number }[];
  readonly values: readonly { readonly name: string; readonly val: number }[];
}

/** A reader that is not ours. */
const dumped = (): Dumped[] => {
  const bpftool = ['/usr/sbin/bpftool', '/usr/local/sbin/bpftool'].find(existsSync) ?? 'bpftool';
  const text = execFileSync(bpftool, ['-j', 'btf', 'dump', 'file', OBJECT_PATH], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return (JSON.parse(text) as { types: Dumped[] }).types;
};

describe('bpftool agrees', () => {
  const types = dumped();

  it('on each struct: size, names and offsets of members', () => {
    const theirs = abi.structs.map(({ name }) => {
      const type = types.find((candidate) => candidate.kind === 'STRUCT' && candidate.name === name);
      return [name, type?.size, type?.members.map((member) => [member.name, member.bits_offset / 8])];
    });
    const ours = abi.structs.map(({ name, size, fields }) => [
      name,
      size,
      fields.map((field) => [field.name, field.offset]),
    ]);
    expect(ours).toEqual(theirs);
    expect(ours.length).toBeGreaterThan(15);
  });

  it('on each enum: names and values', () => {
    for (const { name, values } of abi.enums) {
      const type = types.find((candidate) => candidate.kind === 'ENUM' && candidate.name === name);
      expect(type?.values.map((value) => [value.name, value.val])).toEqual(values);
    }
    expect(abi.enums.length).toBeGreaterThan(8);
  });
});

describe.each(abi.structs.map((struct) => [struct.name, struct] as const))('%s', (name, struct) => {
  it('has no implicit padding', () => {
    let end = 0;
    for (const { offset, size } of struct.fields) {
      expect(offset).toBe(end);
      end = offset + size;
    }
    expect(end).toBe(struct.size);
  });

  it('has the generated size, in whole words of 8 bytes', () => {
    expect(codecOf(struct).size).toBe(struct.size);
    // The kernel's own lock is 4 bytes; it stands inside a struct of ours only.
    if (name !== 'bpf_spin_lock') expect(struct.size % 8).toBe(0);
  });

  it('has each field where the generated decoder reads it, and nowhere else', () => {
    const { decode, size } = codecOf(struct);
    const before = decode(letters(size));
    const read = (at: number): string[] => {
      const after = decode(letters(size, at));
      return Object.keys(after).filter((key) => !same(after[key], before[key]));
    };
    for (let at = 0; at < size; at++) expect([at, read(at)]).toEqual([at, shownAt(name, at)]);
  });
});

/** Bytes that are all the same letter, but for one. */
const letters = (size: number, other = -1): DataView =>
  new DataView(new Uint8Array(size).map((_, at) => (at === other ? 0x62 : 0x61)).buffer);

/** The field that holds byte `at`; none when it is padding, also that of a struct inside. */
const shownAt = (name: string, at: number): string[] => {
  const fields = abi.structs.find((struct) => struct.name === name)?.fields ?? [];
  const field = fields.find(({ offset, size }) => offset <= at && at < offset + size);
  if (!field || isPad(field)) return [];
  const isStruct = abi.structs.some((struct) => struct.name === field.type);
  return isStruct && shownAt(field.type, at - field.offset).length === 0 ? [] : [field.name];
};

const same = (a: unknown, b: unknown): boolean => {
  const text = (value: unknown) =>
    JSON.stringify(value, (_key, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner));
  return text(a) === text(b);
};

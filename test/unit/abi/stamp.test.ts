/** An object of another ABI is noticed before anything of it is loaded; a broken one gives an error, not a crash. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BTF_KIND, readBtf } from '../../../src/abi/btf.js';
import { elfSection } from '../../../src/abi/elf.js';
import { ABI_STAMP } from '../../../src/abi/generated.js';
import { readAbi, stampOf } from '../../../src/abi/layout.js';
import { checkObjectFile, OBJECT_PATH } from '../../../src/kernel/object-file.js';
import { KerngateError } from '../../../src/model/error.js';
import { abi, objectBytes } from './object.js';

const saved = (bytes: Uint8Array): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kg-stamp-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'kerngate.bpf.o');
  writeFileSync(path, bytes);
  return path;
};

const refusal = (bytes: Uint8Array): KerngateError => {
  try {
    checkObjectFile(saved(bytes));
  } catch (error) {
    if (error instanceof KerngateError) return error;
    throw error;
  }
  throw new Error('accepted');
};

/** The object with all of one text replaced by another of its length. */
const renamed = (from: string, to: string): Buffer =>
  Buffer.from(objectBytes().toString('latin1').replaceAll(`\0${from}\0`, `\0${to}\0`), 'latin1');

describe('the stamp', () => {
  it('of the built object is the generated one', () => {
    expect(stampOf(abi)).toBe(ABI_STAMP);
    expect(checkObjectFile().path).toBe(OBJECT_PATH);
  });

  it('changes with a name, a size, an offset, a type and a constant', () => {
    const stamps = new Set([stampOf(abi)]);
    const [struct, ...others] = abi.structs;
    if (!struct) throw new Error('no structs');
    const [field, ...rest] = struct.fields;
    if (!field) throw new Error('no fields');
    const withField = (change: object) =>
      stampOf({ ...abi, structs: [{ ...struct, fields: [{ ...field, ...change }, ...rest] }, ...others] });
    stamps.add(withField({ name: 'other' }));
    stamps.add(withField({ offset: 8 }));
    stamps.add(withField({ type: 's64' }));
    stamps.add(stampOf({ ...abi, structs: [{ ...struct, size: struct.size + 8 }, ...others] }));
    const [first, ...enums] = abi.enums;
    if (!first) throw new Error('no enums');
    stamps.add(stampOf({ ...abi, enums: [{ ...first, values: [['KG_X', 9]] }, ...enums] }));
    expect(stamps.size).toBe(6);
  });
});

describe('a changed object file', () => {
  it('of other layouts is refused with place and remedy', () => {
    const error = refusal(renamed('lineage_tick', 'lineage_tock'));
    expect(error.message).toMatch(/kerngate\.bpf\.o: BPF object of another ABI \(its stamp is [0-9a-f]{16}/);
    expect(error.remedy).toContain('npm run setup');
  });

  it('without our types, cut off, or no object at all is refused with place and remedy', () => {
    const broken = [
      renamed('kg_abi_types', 'kg_abi_typos'),
      objectBytes().subarray(0, 5000),
      Buffer.from('no'),
    ];
    for (const bytes of broken) {
      const { message, remedy } = refusal(bytes);
      expect(message).toMatch(/kerngate\.bpf\.o: not a BPF object of kerngate: /);
      expect(remedy).toContain('npm run setup');
    }
  });

  it('of the same layouts has a fingerprint of its own', () => {
    const bytes = objectBytes();
    const other = Buffer.concat([bytes, Buffer.from([0])]);
    expect(checkObjectFile(saved(other)).fingerprint).not.toBe(checkObjectFile(saved(bytes)).fingerprint);
  });

  it('never hangs or passes for ours with other layouts, whichever bytes of its types are changed', () => {
    const start = objectBytes().indexOf(elfSection(objectBytes(), '.BTF') ?? '');
    const length = elfSection(objectBytes(), '.BTF')?.length ?? 0;
    const change = fc.array(fc.tuple(fc.nat(length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(change, (changes) => {
        const bytes = objectBytes();
        for (const [at, value] of changes) bytes[start + at] = value;
        let read: ReturnType<typeof readAbi>;
        try {
          read = readAbi(bytes);
        } catch (error) {
          return error instanceof Error;
        }
        return (stampOf(read) === ABI_STAMP) === (JSON.stringify(read) === JSON.stringify(abi));
      }),
      { numRuns: 300 },
    );
  });

  it('whose types name each other in a circle is refused', () => {
    const bytes = objectBytes();
    const section = elfSection(bytes, '.BTF') ?? new Uint8Array();
    const typedefs = readBtf(section).filter(
      ({ kind, name }) => kind === BTF_KIND.typedef && /^__u/.test(name),
    );
    const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
    for (const { at, id } of typedefs.map(({ id }) => ({ id, at: placeOf(view, id) }))) {
      view.setUint32(at + 8, id, true);
    }
    expect(refusal(bytes).message).toContain('not a BPF object of kerngate');
  });
});

const EXTRA: Readonly<Record<number, readonly [number, number]>> = {
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

/** Offset of type `id` in a BTF section. */
const placeOf = (view: DataView, id: number): number => {
  let at = view.getUint32(4, true) + view.getUint32(8, true);
  for (let type = 1; type < id; type++) {
    const info = view.getUint32(at + 4, true);
    const [fixed, each] = EXTRA[(info >>> 24) & 0x1f] ?? [0, 0];
    at += 12 + fixed + each * (info & 0xffff);
  }
  return at;
};

/** What is encoded is decoded again, for every struct and any values; rows and decoder read alike. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeKgEvent,
  KG_EVENT_SIZE,
  KG_EVENT_WORDS,
  KG_ROW_WORDS,
  KgEventRows,
} from '../../../src/abi/generated.js';
import type { Field } from '../../../src/abi/layout.js';
import { abi, codecOf, isPad, structNamed } from './object.js';

const bytesOf = (view: DataView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Any value of a field. */
const anyOf = ({ type, size }: Field): fc.Arbitrary<unknown> => {
  const bits = size * 8;
  if (type === 'u64') return fc.bigInt(0n, 2n ** 64n - 1n);
  if (/^u\d+$/.test(type)) return fc.integer({ min: 0, max: 2 ** bits - 1 });
  if (/^s\d+$/.test(type)) return fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
  if (type.startsWith('u64[')) {
    return fc.array(fc.bigInt(0n, 2n ** 64n - 1n), { minLength: size / 8, maxLength: size / 8 });
  }
  if (type === 'comm') return text(size - 1);
  if (type === 'ip' || type.includes('[')) return fc.uint8Array({ minLength: size, maxLength: size });
  return structValue(type);
};

/** Text of at most `most` bytes, without NUL. */
const text = (most: number): fc.Arbitrary<string> =>
  fc
    .string({ unit: 'grapheme', maxLength: most })
    .filter((value) => Buffer.byteLength(value) <= most && !value.includes('\0'));

const structValue = (name: string): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      structNamed(name)
        .fields.filter((field) => !isPad(field))
        .map((field) => [field.name, anyOf(field)]),
    ),
  );

describe.each(abi.structs.map((struct) => [struct.name, struct] as const))('%s', (name, struct) => {
  const { decode, encode, size } = codecOf(struct);

  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(structValue(name), (value) => {
        const view = encode(value);
        expect(view.byteLength).toBe(size);
        expect(decode(view)).toEqual(value);
      }),
    );
  });

  it('stays within its place, and can stand anywhere', () => {
    fc.assert(
      fc.property(structValue(name), fc.integer({ min: 0, max: 9 }), (value, at) => {
        const room = new Uint8Array(size + 20).fill(0xaa);
        const view = new DataView(room.buffer, 3, size + 15);
        encode(value, view, at);
        expect(decode(view, at)).toEqual(value);
        expect(
          [...room.subarray(0, 3 + at), ...room.subarray(3 + at + size)].every((byte) => byte === 0xaa),
        ).toBe(true);
      }),
    );
  });

  it('decodes any bytes, and to the same again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: size, maxLength: size }), (bytes) => {
        const once = decode(new DataView(bytes.buffer, bytes.byteOffset, size));
        const again = decode(encode(once));
        const named = struct.fields.filter(({ type }) => type === 'comm').map((field) => field.name);
        // A name that is no text is shown with U+FFFD, three bytes each, and so may be cut.
        for (const field of named) delete again[field];
        expect(once).toMatchObject(again);
      }),
    );
  });

  it('writes zeroes where it holds nothing', () => {
    fc.assert(
      fc.property(structValue(name), (value) => {
        const bytes = bytesOf(encode(value));
        for (const { offset, size: length } of struct.fields.filter(isPad)) {
          expect(bytes.subarray(offset, offset + length).every((byte) => byte === 0)).toBe(true);
        }
      }),
    );
  });
});

/** Records as the native drain lays them out: word w of record i at i * KG_ROW_WORDS + w. */
const drained = (records: readonly Uint8Array[]): KgEventRows => {
  const rows = new Uint32Array(KG_ROW_WORDS * records.length);
  records.forEach((record, i) => {
    const view = new DataView(record.buffer, record.byteOffset, KG_EVENT_SIZE);
    for (let w = 0; w < KG_EVENT_WORDS; w++) rows[i * KG_ROW_WORDS + w] = view.getUint32(w * 4, true);
  });
  return new KgEventRows(rows);
};

type Reader = (i: number, out?: Uint8Array) => unknown;

describe('KgEventRows', () => {
  it('reads of any bytes what decodeKgEvent reads', () => {
    const record = fc.uint8Array({ minLength: KG_EVENT_SIZE, maxLength: KG_EVENT_SIZE });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), (records) => {
        const rows = drained(records) as unknown as Record<string, Reader>;
        const read = (method: string, i: number): unknown => rows[method]?.(i, new Uint8Array(16));
        records.forEach((bytes, i) => {
          const view = new DataView(bytes.buffer, bytes.byteOffset, KG_EVENT_SIZE);
          for (const [name, value] of Object.entries(decodeKgEvent(view))) {
            if (typeof value !== 'bigint') expect(read(name, i)).toEqual(value);
            else {
              expect(read(name, i)).toBe(Number(value));
              expect(read(`${name}_big`, i)).toBe(value);
              expect(read(`${name}_hex`, i)).toBe(value.toString(16).padStart(16, '0'));
            }
          }
        });
      }),
    );
  });

  it('has a reader for each field', () => {
    const fields = structNamed('kg_event').fields.filter((field) => !isPad(field));
    const has = Object.getOwnPropertyNames(KgEventRows.prototype);
    expect(fields.map(({ name }) => name).filter((name) => !has.includes(name))).toEqual([]);
  });
});

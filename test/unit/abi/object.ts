/** The built object and what is generated from it, for all tests here. */
import { readFileSync } from 'node:fs';
import * as generated from '../../../src/abi/generated.js';
import { type Field, readAbi, type Struct } from '../../../src/abi/layout.js';
import { OBJECT_PATH } from '../../../src/kernel/object-file.js';

export const objectBytes = (): Buffer => readFileSync(OBJECT_PATH);
export const abi = readAbi(objectBytes());
export const isPad = ({ name }: Field): boolean => /^pad\d*$/.test(name);

type Value = Record<string, unknown>;

export interface Codec {
  readonly size: number;
  readonly decode: (view: DataView, at?: number) => Value;
  readonly encode: (value: Value, view?: DataView, at?: number) => DataView;
}

const pascal = (name: string): string =>
  name.replace(/(^|_)([a-z])/g, (_all, _sep, letter: string) => letter.toUpperCase());

/** What generated.ts offers for a struct; fails when it offers nothing. */
export const codecOf = ({ name }: Struct): Codec => {
  const all = generated as unknown as Record<string, unknown>;
  const size = all[`${name.toUpperCase()}_SIZE`];
  const decode = all[`decode${pascal(name)}`];
  const encode = all[`encode${pascal(name)}`];
  if (!size || !decode || !encode) throw new Error(`generated.ts has no codec of ${name}`);
  return { size, decode, encode } as Codec;
};

export const structNamed = (name: string): Struct => {
  const found = abi.structs.find((struct) => struct.name === name);
  if (!found) throw new Error(`no struct ${name}`);
  return found;
};

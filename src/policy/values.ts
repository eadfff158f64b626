/** Reads the values of a match field and compiles the test for them. */
import { compileGlob, isGlob, unescapeGlob } from '../lib/glob.js';
import { type Cidr, canonicalIp, cidrContains, ipToBytes, parseCidr } from '../lib/ip.js';
import { nearest } from '../lib/levenshtein.js';
import type { Range } from '../model/policy.js';
import type { Field } from './fields.js';
import { didYouMean, quote } from './problem.js';

/** One value after reading. `text` is its canonical spelling: equal texts mean the same test. */
export type Atom =
  | { readonly type: 'range'; readonly text: string; readonly range: Range }
  | { readonly type: 'net'; readonly text: string; readonly cidr: Cidr }
  | { readonly type: 'exact'; readonly text: string; readonly value: string }
  | { readonly type: 'glob'; readonly text: string; readonly test: (text: string) => boolean };

export interface ValueError {
  readonly message: string;
  readonly hint?: string;
}

export type Scalar = string | number | boolean;

const MAX_OF = { port: 65_535, integer: 4_294_967_295 } as const;

/** Reads one value of a field, or says what is wrong with it. */
export const readAtom = (field: Field, value: Scalar): Atom | ValueError => {
  const text = String(value);
  switch (field.type) {
    case 'port':
    case 'integer':
      return readRange(text, field.type);
    case 'address':
      return readNet(text);
    case 'host':
      return parseCidr(text) ? readNet(text) : readGlob(text, false);
    case 'path':
    case 'text':
      return readGlob(text, field.type === 'path');
    case 'word':
      return readWord(text, field.words ?? []);
    case 'digits':
      return readDigits(value);
    case 'errno':
      return readErrno(text);
    case 'flag':
      return readWord(text, ['true', 'false']);
  }
};

const readRange = (text: string, type: 'port' | 'integer'): Atom | ValueError => {
  const match = /^(\d{1,10})(?:-(\d{1,10}))?$/.exec(text);
  const max = MAX_OF[type];
  const what = type === 'port' ? `a port from 0 to ${max}` : `an integer from 0 to ${max}`;
  if (!match) return { message: `${quote(text)} is not ${what}, nor a range of them such as 8000-8999` };
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  if (to > max || from > max) return { message: `${quote(text)} is not ${what}` };
  if (from > to) return { message: `the range ${quote(text)} is empty`, ...didYouMean(`${to}-${from}`) };
  return { type: 'range', text: from === to ? `${from}` : `${from}-${to}`, range: { from, to } };
};

const readNet = (text: string): Atom | ValueError => {
  const cidr = parseCidr(text);
  if (!cidr) return { message: `${quote(text)} is neither an IP address nor a network such as 10.0.0.0/8` };
  const [address = '', length] = text.split('/');
  // A length that cuts off part of the address: one of the two is a slip, and only the writer knows which.
  if (length !== undefined && cidr.text.split('/')[0] !== canonicalIp(address)) {
    return { message: `${quote(text)} has bits set beyond its prefix length`, ...didYouMean(cidr.text) };
  }
  return { type: 'net', text: cidr.text, cidr };
};

const readGlob = (text: string, path: boolean): Atom | ValueError => {
  if (text === '') return { message: 'an empty text matches nothing: a field without a value is absent' };
  if (path && !/^[/*?[]/.test(text))
    return { message: `${quote(text)} is no absolute path: it must begin with '/'` };
  const test = compileGlob(text, { path });
  if (typeof test === 'string') return { message: `${quote(text)}: ${test}` };
  if (isGlob(text)) return { type: 'glob', text: `glob:${text}`, test };
  const value = unescapeGlob(text);
  return { type: 'exact', text: value, value };
};

const readWord = (text: string, words: readonly string[]): Atom | ValueError => {
  if (words.includes(text)) return { type: 'exact', text, value: text };
  const list = words.length <= 6 ? `: expected ${words.join(', ')}` : '';
  return { message: `${quote(text)} is not known here${list}`, ...didYouMean(nearest(text, words)) };
};

const readDigits = (value: Scalar): Atom | ValueError => {
  const text = String(value);
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    return { message: `${quote(text)} is too large for a plain number: write it in quotes` };
  }
  if (!/^(0|[1-9]\d{0,19})$/.test(text)) return { message: `${quote(text)} is not a decimal number` };
  return { type: 'exact', text, value: text };
};

const readErrno = (text: string): Atom | ValueError => {
  if (text === '0' || /^E[A-Z0-9]{1,20}$/.test(text)) return { type: 'exact', text, value: text };
  return { message: `${quote(text)} is neither 0 nor an errno name such as ECONNREFUSED` };
};

/** Compiles "equals any of these". The event's value is text or a number, as the field is. */
export const compileAtoms = (atoms: readonly Atom[]): ((value: string | number) => boolean) => {
  const ranges = atoms.flatMap((atom) => (atom.type === 'range' ? [atom.range] : []));
  if (ranges.length > 0) return (value) => inRanges(ranges, Number(value));
  const nets = atoms.flatMap((atom) => (atom.type === 'net' ? [atom.cidr] : []));
  const globs = atoms.flatMap((atom) => (atom.type === 'glob' ? [atom.test] : []));
  const exact = new Set(atoms.flatMap((atom) => (atom.type === 'exact' ? [atom.value] : [])));
  return (value) => {
    const text = String(value);
    return exact.has(text) || inNets(nets, text) || globs.some((test) => test(text));
  };
};

const inRanges = (ranges: readonly Range[], value: number): boolean => {
  for (const { from, to } of ranges) if (value >= from && value <= to) return true;
  return false;
};

const inNets = (nets: readonly Cidr[], text: string): boolean => {
  if (nets.length === 0) return false;
  const address = bytesOf(text);
  return address !== undefined && nets.some((net) => cidrContains(net, address));
};

let lastText = '';
let lastBytes: Uint8Array | undefined;

/** Every policy asks for the address of the same event: the last one is remembered. */
const bytesOf = (text: string): Uint8Array | undefined => {
  if (text !== lastText) [lastText, lastBytes] = [text, ipToBytes(text)];
  return lastBytes;
};

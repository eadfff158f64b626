/** Says a match in the terms of the hook, or why the hook cannot test it. */
import type { KernelMatch, Range } from '../model/policy.js';
import type { FieldTest } from './match.js';
import { complement, rangesOf } from './ranges.js';

/** Shares of the kernel's tables: sixteen rules of this size fill them, twice over for the switch. */
const MAX_VALUES = 256;
const MAX_NETS = 512;

/** The hook's dimensions for these tests, or a clause that says why it has none. */
export const kernelMatch = (tests: readonly FieldTest[]): KernelMatch | string => {
  let match: KernelMatch = {};
  for (const test of tests) {
    const part = DIMENSIONS[test.name]?.(test) ?? `the hook does not know ${test.name}`;
    if (typeof part === 'string') return part;
    match = { ...match, ...part };
  }
  return match;
};

const DIMENSIONS: Readonly<Record<string, (test: FieldTest) => KernelMatch | string>> = {
  'dst.port': ({ not, atoms }) => ({ ports: not ? complement(rangesOf(atoms)) : rangesOf(atoms) }),

  'dst.ip': ({ not, atoms }) => {
    const cidrs = unique(atoms.flatMap((atom) => (atom.type === 'net' ? [atom.cidr.text] : [])));
    return cidrs.length > MAX_NETS ? `dst.ip lists more than ${MAX_NETS} networks` : { nets: { not, cidrs } };
  },

  uid: ({ not, atoms }) => {
    const ranges = rangesOf(atoms);
    const count = ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    if (count > MAX_VALUES) return `uid covers more than ${MAX_VALUES} users`;
    return { uids: { not, values: ranges.flatMap(numbers) } };
  },

  exe: ({ not, atoms }) => {
    if (atoms.some((atom) => atom.type === 'glob'))
      return 'the hook compares files, it cannot test a glob of paths';
    const paths = unique(atoms.flatMap((atom) => (atom.type === 'exact' ? [atom.value] : [])));
    return paths.length > MAX_VALUES ? `exe lists more than ${MAX_VALUES} files` : { exes: { not, paths } };
  },

  proto: ({ not, atoms }) => {
    const names = unique(atoms.map((atom) => atom.text));
    const protos = names.filter((name): name is 'tcp' | 'udp' => name === 'tcp' || name === 'udp');
    // Beside TCP and UDP there are protocols whose attempts the hook may not see.
    if (not || protos.length !== names.length) return 'the hook tests proto for tcp and udp only';
    return { protos };
  },
};

const unique = (texts: readonly string[]): string[] => [...new Set(texts)].sort();

const numbers = ({ from, to }: Range): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Compiles the structured match of a policy: to a test of events, to its canonical form, to the hook's terms. */
import type { EventView } from '../model/event.js';
import type { KernelMatch } from '../model/policy.js';
import { FIELDS, type Field } from './fields.js';
import { kernelMatch } from './kernel-match.js';
import { complement, rangesOf } from './ranges.js';
import type { MatchValue } from './schema.js';
import type { Fault } from './shape.js';
import { type Atom, compileAtoms, readAtom, type Scalar } from './values.js';

/** One field of a match after reading. */
export interface FieldTest {
  readonly name: string;
  readonly field: Field;
  readonly not: boolean;
  readonly atoms: readonly Atom[];
}

export interface CompiledMatch {
  readonly test: (event: EventView) => boolean;
  /** Equal for matches that mean the same, however they are written. */
  readonly canonical: Readonly<Record<string, { not: boolean; values: readonly string[] }>>;
  readonly kernel: KernelMatch | string;
}

/** Compiles a match; what is wrong with it is added to `faults`. */
export const compileMatch = (
  match: Readonly<Record<string, MatchValue | undefined>>,
  faults: Fault[],
): CompiledMatch => {
  const tests = Object.entries(match).flatMap(([name, value]) => readField(name, value, faults) ?? []);
  const compiled = tests.map(compileField);
  return {
    test: (event) => compiled.every((holds) => holds(event)),
    canonical: Object.fromEntries(
      tests.map(({ name, not, atoms }) => [name, { not, values: spellings(atoms) }]),
    ),
    kernel: kernelMatch(tests),
  };
};

const readField = (name: string, value: MatchValue | undefined, faults: Fault[]): FieldTest | undefined => {
  const field = FIELDS[name];
  if (!field || value === undefined) return undefined;
  const not = typeof value === 'object' && !Array.isArray(value);
  const inner = not ? value.not : value;
  const path = not ? ['match', name, 'not'] : ['match', name];
  const listed = Array.isArray(inner);
  const atoms = (listed ? inner : [inner]).flatMap((item: Scalar, i: number) => {
    const atom = readAtom(field, item);
    if ('type' in atom) return [atom];
    faults.push({ path: listed ? [...path, i] : path, key: false, ...atom });
    return [];
  });
  const test = { name, field, not, atoms };
  if (not && excludesAll(test)) faults.push({ path, key: false, message: 'this excludes every value' });
  return test;
};

const excludesAll = ({ field, atoms }: FieldTest): boolean =>
  field.type === 'port' && complement(rangesOf(atoms)).length === 0;

const compileField = ({ field, not, atoms }: FieldTest): ((event: EventView) => boolean) => {
  const among = compileAtoms(atoms);
  return (event) => {
    const value = field.read(event);
    // An absent value is none of those listed: the positive test fails, its negation holds.
    return value === undefined ? not : among(value) !== not;
  };
};

const spellings = (atoms: readonly Atom[]): string[] => {
  const ranges = rangesOf(atoms).map(({ from, to }) => `${from}-${to}`);
  const others = atoms.flatMap((atom) => (atom.type === 'range' ? [] : [atom.text]));
  return [...new Set([...ranges, ...others])].sort();
};

/** Turns what the schema refused into problems at the right key, with the word that was meant. */
import type { z } from 'zod';
import { nearest } from '../lib/levenshtein.js';
import { didYouMean, kindOf, quote } from './problem.js';
import { policySchema, UNAVAILABLE_DETECTORS } from './schema.js';
import type { Path } from './yaml-source.js';

type Issue = z.core.$ZodIssue;

/** A problem before its position is known: `key` points at the key of the path, else at the value. */
export interface Fault {
  readonly path: Path;
  readonly key: boolean;
  readonly message: string;
  readonly hint?: string;
  /** Offset inside the text of a scalar value. */
  readonly inside?: number;
}

interface ShapeFault extends Fault {
  /** Name of a key that is not there. */
  readonly missing?: string;
  /** Name of the key that was meant, or that the one written stands in for. */
  readonly meant?: string | undefined;
}

/** The faults of one document, from the issues its validation raised; `schema` knows the keys it might have meant. */
export const shapeFaults = (
  issues: readonly Issue[],
  data: unknown,
  schema: JsonSchema = policyShape(),
): Fault[] => {
  const faults = issues.flatMap((issue) => faultsOf(issue, { data, schema }, []));
  const id = (path: Path, name: string): string => JSON.stringify([...path, name]);
  const meant = new Set(faults.flatMap(({ path, meant }) => (meant ? [id(path.slice(0, -1), meant)] : [])));
  // A misspelt key is one mistake: the key it should have been is then not missing as well.
  return faults.filter(({ path, missing }) => missing === undefined || !meant.has(id(path, missing)));
};

interface Document {
  readonly data: unknown;
  readonly schema: JsonSchema;
}

const faultsOf = (issue: Issue, document: Document, base: Path): ShapeFault[] => {
  const path = [...base, ...(issue.path as Path)];
  const value = valueAt(document.data, path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(path, key, document.schema));
  }
  if (value === undefined) return [missingKey(path)];
  if (issue.code === 'invalid_union') return unionFaults(issue, document, path);
  if (issue.code === 'invalid_value') return [wrongWord(issue, path, value)];
  if (issue.code === 'invalid_type') return [wrongType(issue, path, value)];
  return [{ path, key: false, message: issue.message }];
};

const valueAt = (data: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, step) => (value as Record<string | number, unknown> | null)?.[step], data);

const missingKey = (path: Path): ShapeFault => {
  const missing = String(path.at(-1));
  return { path: path.slice(0, -1), key: true, message: `missing key ${quote(missing)}`, missing };
};

const unknownKey = (path: Path, key: string, schema: JsonSchema): ShapeFault => {
  const at = { path: [...path, key], key: true };
  if (path[0] === 'detect' && path.length === 1 && UNAVAILABLE_DETECTORS.some((name) => name === key)) {
    return { ...at, message: `detector ${quote(key)} is not available in this version`, meant: 'burst' };
  }
  const meant = nearest(key, keysAt(schema, path));
  const what = path[0] === 'match' && path.length === 1 ? 'unknown field' : 'unknown key';
  return { ...at, message: `${what} ${quote(key)}`, meant, ...didYouMean(meant) };
};

let shape: JsonSchema | undefined;

const policyShape = (): JsonSchema => {
  shape ??= policySchema() as JsonSchema;
  return shape;
};

/** The part of a JSON Schema that names keys. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly prefixItems?: readonly JsonSchema[];
}

/** All keys the schema knows at a path, of every form the value may take there. */
const keysAt = (root: JsonSchema, path: Path): string[] => {
  const resolve = (schema: JsonSchema): JsonSchema =>
    root.$defs?.[schema.$ref?.split('/').at(-1) ?? ''] ?? schema;
  const formsOf = (schema: JsonSchema): JsonSchema[] => {
    const own = resolve(schema);
    return [own, ...(own.anyOf ?? []).flatMap(formsOf)];
  };
  const child = (schema: JsonSchema, step: string | number): JsonSchema[] => {
    const own =
      typeof step === 'number' ? (schema.prefixItems?.[step] ?? schema.items) : schema.properties?.[step];
    return own ? formsOf(own) : [];
  };
  const forms = path.reduce((known, step) => known.flatMap((schema) => child(schema, step)), formsOf(root));
  return forms.flatMap((schema) => Object.keys(schema.properties ?? {}));
};

type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;

/** Speaks of the form the writer chose, and of all forms only when it is none of them. */
const unionFaults = (issue: UnionIssue, document: Document, path: Path): ShapeFault[] => {
  const chosen = formChosen(issue, valueAt(document.data, path));
  if (!chosen) return [{ path, key: false, message: issue.message }];
  return chosen.flatMap((inner) => faultsOf(inner, document, path));
};

const formChosen = (issue: UnionIssue, value: unknown): readonly Issue[] | undefined =>
  issue.errors.find(
    (issues) => !issues.some((inner) => inner.path.length === 0 && isOtherForm(inner, value)),
  );

const isOtherForm = (issue: Issue, value: unknown): boolean => {
  if (issue.code === 'invalid_union') return formChosen(issue, value) === undefined;
  return issue.code === 'invalid_type' || (issue.code === 'invalid_value' && typeof value !== 'string');
};

/** A message of the schema's own is better than one made here. */
const isOwn = (issue: Issue): boolean => !issue.message.startsWith('Invalid ');

type ValueIssue = Extract<Issue, { code: 'invalid_value' }>;

const wrongWord = (issue: ValueIssue, path: Path, value: unknown): ShapeFault => {
  if (isOwn(issue)) return { path, key: false, message: issue.message };
  const words = issue.values.map(String);
  const guess = typeof value === 'string' ? nearest(value, words) : undefined;
  const message =
    typeof value === 'object' || value === null
      ? `expected one of ${words.join(', ')}, found ${kindOf(value)}`
      : notOneOf(value, words, guess !== undefined);
  return { path, key: false, message, ...didYouMean(guess) };
};

/** A long list is no help once the word is found. */
const notOneOf = (value: unknown, words: readonly string[], guessed: boolean): string =>
  guessed && words.length > 10
    ? `${kindOf(value)} is not known here`
    : `${kindOf(value)} is not one of ${words.join(', ')}`;

type TypeIssue = Extract<Issue, { code: 'invalid_type' }>;

const NAMES: Readonly<Record<string, string>> = {
  object: 'a mapping',
  array: 'a list',
  tuple: 'a list',
  string: 'a text',
  boolean: 'true or false',
  number: 'a number',
  int: 'a whole number',
};

const wrongType = (issue: TypeIssue, path: Path, value: unknown): ShapeFault => {
  if (isOwn(issue)) return { path, key: false, message: `${issue.message}, found ${kindOf(value)}` };
  const hint = issue.expected === 'string' && typeof value !== 'object' ? { hint: 'write it in quotes' } : {};
  const wanted = NAMES[issue.expected] ?? issue.expected;
  return { path, key: false, message: `expected ${wanted}, found ${kindOf(value)}`, ...hint };
};

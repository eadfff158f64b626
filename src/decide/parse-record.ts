/** Reads one line of the journal and says in a sentence what is wrong with a bad one. */
import { isHexId } from '../lib/hex-id.js';
import { SUBJECT_KINDS } from '../model/subject.js';
import type { JournalRecord } from './record.js';
import { TABLES } from './record.js';

type Json = Record<string, unknown>;
type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isFlag: Check = (value) => typeof value === 'boolean';
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isId: Check = (value) => typeof value === 'string' && isHexId(value);
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const shape =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) && badField(value, fields) === undefined;

const isMode = oneOf('audit', 'enforce');
const isSubject = shape({ kind: oneOf(...SUBJECT_KINDS), id: isText, name: isText });

const ENTRY: Readonly<Record<string, Check>> = {
  id: isId,
  at: isTime,
  subject: isSubject,
  action: oneOf('deny'),
  mode: isMode,
  enforced_by: oneOf('kernel', 'agent', 'nftables'),
  level: oneOf('lsm', 'fmod_ret', 'cgroup', 'nftables'),
  policy: isText,
  finding: maybe(isText),
  reason: isText,
  by: oneOf('policy', 'operator'),
  until: isTime,
  hits: isNumber,
  last_hit: maybe(isTime),
  deny: oneOf('new', 'all', 'isolate'),
  spared: maybe(listOf(isText)),
  sever: maybe(isFlag),
  freeze: maybe(isFlag),
  severed: maybe(shape({ closed: isNumber, kept: isNumber, failed: isNumber, why: maybe(isText) })),
  sinceNs: isNumber,
  untilNs: isNumber,
  rule: isText,
  pushed: isFlag,
};

const ALLOW = {
  subject: isSubject,
  reason: isText,
  by: oneOf('birth', 'operator', 'config'),
  until: maybe(isTime),
};

const STAMP = { boot: isText, at: isTime, at_ns: isNumber };

const KINDS: Readonly<Record<JournalRecord['kind'], Readonly<Record<string, Check>>>> = {
  boot: {},
  block: { entry: shape(ENTRY), strike: isNumber },
  unblock: {
    ids: maybe(listOf(isId)),
    subjects: maybe(listOf(isText)),
    policies: maybe(listOf(isText)),
    all: maybe(isFlag),
  },
  end: {
    ids: listOf(isId),
    why: oneOf('expired', 'gone', 'replaced', 'retired'),
    gone: maybe(isText),
  },
  mode: { mode: isMode, demoted_ns: maybe(isNumber), tripped: maybe(isText) },
  panic: {},
  allow: { entry: shape(ALLOW), until_ns: maybe(isNumber) },
  disallow: { subjects: listOf(isText) },
  memory: { table: oneOf(...TABLES), rows: listOf(listOf((cell) => isText(cell) || isNumber(cell))) },
  latch: {
    mode: maybe(isMode),
    tripped: maybe(shape({ at: isTime, reason: isText })),
    panicked: isFlag,
    demoted_ns: isNumber,
    lifted_ns: isNumber,
  },
};

/** Name of the first field that does not hold what it must. */
const badField = (value: Json, fields: Readonly<Record<string, Check>>): string | undefined =>
  Object.keys(fields).find((name) => !fields[name]?.(value[name]));

/** The record, or why the line is none. Fields nobody knows are kept: a newer kerngate may have written them. */
export const parseRecord = (line: string): JournalRecord | { readonly problem: string } => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return { problem: `not JSON: ${(error as Error).message}` };
  }
  if (!isObject(value)) return { problem: 'not an object' };
  const kind = String(value.kind);
  const fields = Object.hasOwn(KINDS, kind) ? KINDS[kind as JournalRecord['kind']] : undefined;
  if (fields === undefined) return { problem: `no record is of the kind "${kind.slice(0, 40)}"` };
  const bad = badField(value, STAMP) ?? badField(value, fields);
  return bad === undefined
    ? (value as unknown as JournalRecord)
    : { problem: `bad field "${bad}" in ${kind}` };
};

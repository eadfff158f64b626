/** Where the scanner looks for the fields of an event, in the order kerngate writes them. */
import { SEEN_KINDS } from '../model/event.js';

/**
 * What a value may be; `digits` is a decimal string, `whole` a number, `result` 0 or a text. Numbers, as a
 * switch over names would compare one after the other.
 */
export const FORM = {
  text: 0,
  digits: 1,
  whole: 2,
  wholeOrNull: 3,
  flag: 4,
  kind: 5,
  proto: 6,
  time: 7,
  result: 8,
  object: 9,
} as const;

export interface FieldSpec {
  readonly name: string;
  /** `"name":` in bytes. */
  readonly bytes: Uint8Array;
  readonly form: (typeof FORM)[keyof typeof FORM];
  /** Where the scanner keeps it. */
  readonly index: number;
  readonly max: number;
  readonly inner: readonly FieldSpec[];
}

const PID = 2 ** 31 - 1;
const ID = 2 ** 32 - 1;

export const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

let count = 0;
const field = (
  name: string,
  form: keyof typeof FORM,
  max = Number.MAX_SAFE_INTEGER,
  inner: FieldSpec[] = [],
): FieldSpec => ({ name, bytes: bytesOf(`"${name}":`), form: FORM[form], index: count++, max, inner });

const endpoint = (): FieldSpec[] => [field('ip', 'text'), field('port', 'whole', 65_535)];

const cgroup = [field('id', 'digits'), field('path', 'text')];
const src = endpoint();
const dst = endpoint();
const lineage = [field('pid', 'whole', PID), field('start', 'digits'), field('comm', 'text')];

/** An event with any other field, `auth` among them, is left to the JSON parser. */
export const FIELDS: readonly FieldSpec[] = [
  field('v', 'whole'),
  field('at', 'time'),
  field('boot_ns', 'digits'),
  field('kind', 'kind'),
  field('pid', 'whole', PID),
  field('start', 'digits'),
  field('ppid', 'whole', PID),
  field('session', 'wholeOrNull', ID),
  field('uid', 'whole', ID),
  field('user', 'text'),
  field('comm', 'text'),
  field('exe', 'text'),
  field('cmdline', 'text'),
  field('cgroup', 'object', 0, cgroup),
  field('unit', 'text'),
  field('container', 'text'),
  field('proto', 'proto'),
  field('src', 'object', 0, src),
  field('dst', 'object', 0, dst),
  field('result', 'result'),
  field('verdict', 'text'),
  field('decision', 'text'),
  field('untrusted', 'flag'),
  field('child', 'whole', PID),
  field('lost', 'whole'),
  field('child_start', 'digits'),
  field('lineage', 'object', 0, lineage),
];
export const FIELD_COUNT = count;

/** Place of a field by its way: `pid`, `dst.port`. */
export const placeOf = (way: string): number => {
  const [name, inner] = way.split('.');
  const outer = FIELDS.find((spec) => spec.name === name);
  const spec = inner === undefined ? outer : outer?.inner.find((candidate) => candidate.name === inner);
  if (spec === undefined) throw new Error(`no field ${way}`);
  return spec.index;
};

/** Without these there is no event. */
export const REQUIRED: readonly number[] = [
  'at',
  'boot_ns',
  'kind',
  'pid',
  'start',
  'ppid',
  'session',
  'uid',
  'comm',
  'exe',
  'cgroup.id',
  'cgroup.path',
].map(placeOf);

/** Objects whose fields must all be there when one is. */
export const WHOLE: readonly (readonly number[])[] = [
  ['src', 'src.ip', 'src.port'],
  ['dst', 'dst.ip', 'dst.port'],
  ['lineage', 'lineage.pid', 'lineage.start'],
].map((ways) => ways.map(placeOf));

export const KIND_BYTES = SEEN_KINDS.map((kind) => ({ kind, bytes: bytesOf(kind) }));
export const PROTO_BYTES = (['tcp', 'udp', 'sctp', 'mptcp', 'raw', 'other'] as const).map((proto) => ({
  proto,
  bytes: bytesOf(proto),
}));

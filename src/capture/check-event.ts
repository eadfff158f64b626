/** Checks one event of a capture by hand: a schema library would cost more than reading the JSON does. */
import { SEEN_KINDS } from '../model/event.js';

type Loose = Readonly<Record<string, unknown>>;

const KINDS: ReadonlySet<unknown> = new Set(SEEN_KINDS);
const PROTOS: ReadonlySet<unknown> = new Set(['tcp', 'udp', 'sctp', 'mptcp', 'raw', 'other']);
const PID_MAX = 2 ** 31 - 1;
const ID_MAX = 2 ** 32 - 1;
/** Digits of 2^64 - 1. */
const DIGITS_MAX = 20;
const AT =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

const isDecimal = (value: unknown): boolean => {
  if (typeof value !== 'string' || value.length === 0 || value.length > DIGITS_MAX) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
};

const isWhole = (value: unknown, max: number): boolean =>
  typeof value === 'number' && value >= 0 && value <= max && value % 1 === 0;

const isObject = (value: unknown): value is Loose =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What is wrong with an event, as `field: what it must be`; undefined when nothing is. Fields that it
 * does not know may hold anything. `v`, `verdict` and `lost` may be missing: a replay makes its own.
 */
export const eventFault = (event: Loose): string | undefined =>
  requiredFault(event) ??
  (event.dst === undefined ? undefined : endpointFault('dst', event.dst)) ??
  (event.src === undefined ? undefined : endpointFault('src', event.src)) ??
  optionalFault(event);

const requiredFault = (event: Loose): string | undefined => {
  if (!KINDS.has(event.kind)) return `kind: ${shown(event.kind)} is no kind of event`;
  if (!isDecimal(event.boot_ns)) return 'boot_ns: must be nanoseconds as a decimal string';
  if (!isDecimal(event.start)) return 'start: must be nanoseconds as a decimal string';
  if (typeof event.at !== 'string' || !AT.test(event.at)) return 'at: must be a time as RFC 3339 writes it';
  if (!isWhole(event.pid, PID_MAX)) return 'pid: must be a process id';
  if (!isWhole(event.ppid, PID_MAX)) return 'ppid: must be a process id';
  if (!isWhole(event.uid, ID_MAX)) return 'uid: must be a user id';
  if (event.session !== null && !isWhole(event.session, ID_MAX)) {
    return 'session: must be an audit session id or null';
  }
  if (typeof event.comm !== 'string') return 'comm: must be text';
  if (typeof event.exe !== 'string') return 'exe: must be text';
  return cgroupFault(event.cgroup);
};

const cgroupFault = (cgroup: unknown): string | undefined => {
  if (!isObject(cgroup)) return 'cgroup: must be {id, path}';
  if (!isDecimal(cgroup.id)) return 'cgroup.id: must be a decimal string';
  return typeof cgroup.path === 'string' ? undefined : 'cgroup.path: must be text';
};

const endpointFault = (name: string, value: unknown): string | undefined => {
  if (!isObject(value) || typeof value.ip !== 'string') return `${name}: must be {ip, port}`;
  return isWhole(value.port, 65_535) ? undefined : `${name}.port: must be from 0 to 65535`;
};

/** Walks what is there instead of asking for each field that may be: most events have few. */
const optionalFault = (event: Loose): string | undefined => {
  for (const name in event) {
    const check = OPTIONAL[name];
    const wanted = check === undefined || event[name] === undefined ? undefined : check(event[name]);
    if (wanted !== undefined) return `${name}: must be ${wanted}`;
  }
  return undefined;
};

const text = (value: unknown) => (typeof value === 'string' ? undefined : 'text');

const outcomes: ReadonlySet<unknown> = new Set([undefined, 'success', 'failure', 'abandoned']);
const AUTH = ['service', 'user', 'rhost', 'method'] as const;

const auth = (value: unknown) => {
  const isWell =
    isObject(value) && AUTH.every((name) => typeof value[name] === 'string') && outcomes.has(value.outcome);
  return isWell ? undefined : '{service, user, rhost, method, outcome?}';
};

const lineage = (value: unknown) => {
  const isWell =
    isObject(value) && isWhole(value.pid, PID_MAX) && isDecimal(value.start) && !text(value.comm ?? '');
  return isWell ? undefined : '{pid, start, comm?}';
};

const OPTIONAL: Readonly<Record<string, ((value: unknown) => string | undefined) | undefined>> = {
  __proto__: null as never,
  unit: text,
  container: text,
  user: text,
  cmdline: text,
  proto: (value) => (PROTOS.has(value) ? undefined : [...PROTOS].join(', ')),
  result: (value) => (value === 0 || typeof value === 'string' ? undefined : '0 or the name of an error'),
  untrusted: (value) => (typeof value === 'boolean' ? undefined : 'true or false'),
  child: (value) => (isWhole(value, PID_MAX) ? undefined : 'a process id'),
  child_start: (value) => (isDecimal(value) ? undefined : 'nanoseconds as a decimal string'),
  auth,
  lineage,
};

const shown = (value: unknown): string =>
  value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 40) ?? String(value));

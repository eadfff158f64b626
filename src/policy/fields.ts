/** The fields of an event that `match` can test: how each is read and what its values look like. */
import { EVENT_KINDS, type EventView } from '../model/event.js';

/**
 * How values of a field are written and compared:
 * `integer` and `port` numbers and ranges · `address` addresses and networks · `text` and `path`
 * globs (in a path `*` stops at `/`) · `host` a network or a glob · `word` one of a fixed set ·
 * `digits` a decimal number of any size · `errno` 0 or a name · `flag` true or false.
 */
export type FieldType =
  | 'integer'
  | 'port'
  | 'address'
  | 'text'
  | 'path'
  | 'host'
  | 'word'
  | 'digits'
  | 'errno'
  | 'flag';

export interface Field {
  readonly type: FieldType;
  readonly about: string;
  /** The value as text or number; undefined when the event has none. */
  readonly read: (event: EventView) => string | number | undefined;
  /** The values of a `word`. */
  readonly words?: readonly string[];
}

/** The agent writes an empty text for what it could not find out. */
const known = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

const integer = (about: string, read: Field['read']): Field => ({ type: 'integer', about, read });
const text = (about: string, read: Field['read']): Field => ({ type: 'text', about, read });
const word = (about: string, words: readonly string[], read: Field['read']): Field => ({
  type: 'word',
  about,
  words,
  read,
});

const PROTOCOLS = ['tcp', 'udp', 'sctp', 'mptcp', 'raw', 'other'] as const;

export const FIELDS: Readonly<Record<string, Field>> = {
  kind: word('the event kind, for policies with several', EVENT_KINDS, (e) => e.kind),
  pid: integer('process id', (e) => e.pid),
  ppid: integer('parent process id', (e) => e.ppid),
  child: integer('process id of the child, on `fork`', (e) => e.child),
  session: integer('audit session id', (e) => (e.session < 0 ? undefined : e.session)),
  uid: integer('user id', (e) => e.uid),
  user: text('user name', (e) => known(e.user)),
  comm: text('process name, 15 bytes, set by the process itself', (e) => known(e.comm)),
  exe: { type: 'path', about: 'path of the executable', read: (e) => known(e.exe) },
  cmdline: text('command line, set by the process itself', (e) => known(e.cmdline)),
  'cgroup.path': {
    type: 'path',
    about: 'cgroup path from the root of the hierarchy',
    read: (e) => known(e.cgroupPath),
  },
  'cgroup.id': { type: 'digits', about: 'cgroup id', read: (e) => known(e.cgroupId) },
  unit: text('systemd unit', (e) => known(e.unit)),
  container: text('full container id', (e) => known(e.container)),
  proto: word('transport protocol', PROTOCOLS, (e) => e.proto),
  'src.ip': { type: 'address', about: 'source address', read: (e) => known(e.srcIp) },
  'src.port': { type: 'port', about: 'source port', read: (e) => e.srcPort },
  'dst.ip': { type: 'address', about: 'destination address', read: (e) => known(e.dstIp) },
  'dst.port': { type: 'port', about: 'destination port', read: (e) => e.dstPort },
  result: { type: 'errno', about: '0, or an errno name', read: (e) => e.result },
  'auth.service': text('service that authenticates', (e) => known(e.auth?.service)),
  'auth.user': text('user name that was given', (e) => known(e.auth?.user)),
  'auth.rhost': {
    type: 'host',
    about: 'remote host, an address or a name',
    read: (e) => known(e.auth?.rhost),
  },
  'auth.method': text('method', (e) => known(e.auth?.method)),
  'auth.outcome': word('outcome', ['success', 'failure', 'abandoned'], (e) => e.auth?.outcome),
  verdict: word('what the kernel had decided', ['none', 'audit', 'deny'], (e) => e.verdict),
  untrusted: { type: 'flag', about: 'the remote address is not proven', read: (e) => String(e.untrusted) },
};

/** Whom an event counts for: the subject under each `by`. */
import { canonicalIp, parseCidr } from '../lib/ip.js';
import type { EventView } from './event.js';
import { destinationId, processId, type Subject, type SubjectKind } from './subject.js';

/** An event and the root of its lineage. */
export interface KeyedEvent extends EventView {
  /** 0 when unknown. */
  readonly lineagePid: number;
  readonly lineageTick: number;
  /** Name of the lineage's root, '' when unknown. */
  readonly lineageComm: string;
}

type KeyOf = (event: KeyedEvent) => Subject | undefined;

const named = (comm: string, pid: number): string => (comm === '' ? `pid ${pid}` : `${comm} (pid ${pid})`);

const byText = (kind: SubjectKind, id: string | undefined, name?: string): Subject | undefined =>
  id === undefined || id === '' ? undefined : { kind, id, name: name ?? id };

const byProcess = (kind: SubjectKind, pid: number, tick: number, name: string): Subject | undefined =>
  pid === 0 ? undefined : { kind, id: processId(pid, tick), name };

/** A service may report a host name it looked up; only an address can be counted and blocked. */
const remoteOf = (event: EventView): string | undefined => {
  if (event.kind === 'accept') return event.srcIp;
  if (event.auth === undefined) return undefined;
  return canonicalIp(event.auth.rhost) ?? event.srcIp;
};

/**
 * The id of a remote address: an IPv6 host owns its whole /64, so that is what counts. `::/64` alone
 * is nobody's: it holds loopback and, mapped, all of IPv4, and a block of it would hit every host.
 */
export const sourceId = (ip: string): string | undefined => {
  const network = ip.includes(':') ? parseCidr(`${ip}/64`)?.text : ip;
  return network === '::/64' ? ip : network;
};

const source: KeyOf = (event) => {
  const ip = remoteOf(event);
  return ip === undefined ? undefined : byText('source', sourceId(ip));
};

const KEYS: Readonly<Record<SubjectKind, KeyOf>> = {
  process: (event) => byProcess('process', event.pid, event.startTick, named(event.comm, event.pid)),
  lineage: (event) =>
    byProcess(
      'lineage',
      event.lineagePid,
      event.lineageTick,
      `tree of ${named(event.lineageComm, event.lineagePid)}`,
    ),
  session: (event) =>
    event.session < 0 ? undefined : byText('session', String(event.session), `session ${event.session}`),
  cgroup: (event) =>
    event.cgroupId === '0'
      ? undefined
      : byText('cgroup', event.cgroupId, event.cgroupPath || `cgroup ${event.cgroupId}`),
  unit: (event) => byText('unit', event.unit),
  container: (event) => byText('container', event.container, `container ${event.container?.slice(0, 12)}`),
  user: (event) =>
    event.pid === 0 ? undefined : byText('user', String(event.uid), event.user ?? `uid ${event.uid}`),
  exe: (event) => byText('exe', event.exe),
  source,
  destination: (event) =>
    event.dstIp === undefined
      ? undefined
      : byText('destination', destinationId(event.dstIp, event.dstPort ?? 0)),
};

/** The subject `event` counts for under `by`, or undefined when it has none. */
export const subjectOf = (event: KeyedEvent, by: SubjectKind): Subject | undefined => KEYS[by](event);

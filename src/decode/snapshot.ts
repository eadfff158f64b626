/** Writes an event out as the JSON the contract fixes. */
import type { Endpoint, Event, EventView } from '../model/event.js';

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Only the properties that have a value: an unknown one is left out, not written as null. */
const present = <T extends object>(fields: T): Present<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;

const endpoint = (ip: string | undefined, port: number | undefined): Endpoint | undefined =>
  ip === undefined ? undefined : { ip, port: port ?? 0 };

/** What the view itself gives only rounded or not at all. */
export interface Exact {
  /** RFC 3339. */
  readonly at: string;
  /** Nanoseconds since boot, decimal. */
  readonly bootNs: string;
  readonly start: string;
}

export const snapshotOf = (event: EventView, exact: Exact): Event => ({
  v: 1,
  at: exact.at,
  boot_ns: exact.bootNs,
  kind: event.kind,
  pid: event.pid,
  start: exact.start,
  ppid: event.ppid,
  session: event.session < 0 ? null : event.session,
  uid: event.uid,
  ...present({ user: event.user }),
  comm: event.comm,
  exe: event.exe,
  ...present({ cmdline: event.cmdline || undefined }),
  cgroup: { id: event.cgroupId, path: event.cgroupPath },
  ...present({
    unit: event.unit,
    container: event.container,
    proto: event.proto,
    src: endpoint(event.srcIp, event.srcPort),
    dst: endpoint(event.dstIp, event.dstPort),
    result: event.result,
    auth: event.auth,
  }),
  verdict: event.verdict,
  ...present({
    decision: event.decision,
    way: event.way,
    untrusted: event.untrusted || undefined,
    child: event.child,
  }),
  lost: event.lost,
});

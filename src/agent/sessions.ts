/** The kernel's per-process session table as rows for people and scripts. */
import type { KgSession } from '../abi/generated.js';
import type { SessionRow } from '../control/api.js';
import type { Maps } from '../kernel/maps.js';
import type { Clock } from '../lib/clock.js';
import type { Enricher } from '../model/enricher.js';

const NO_SESSION = 0xffffffff;

/** Latest activity last. */
export const sessionRows = (maps: Maps, enricher: Enricher, clock: Clock): SessionRow[] =>
  maps.sessions
    .entries()
    .sort(([, a], [, b]) => (a.last_ns < b.last_ns ? -1 : 1))
    .map(([key, session]) => row(key.tgid, Number(key.tick), session, enricher, clock));

const row = (
  pid: number,
  tick: number,
  session: KgSession,
  enricher: Enricher,
  clock: Clock,
): SessionRow => ({
  pid,
  start: String(session.start_ns),
  comm: session.comm,
  exe: enricher.process(pid, tick, session.comm).exe,
  uid: session.uid,
  session: session.session === NO_SESSION ? null : session.session,
  cgroup: { id: String(session.cgroup), path: enricher.cgroup(String(session.cgroup), pid).path },
  first: clock.wall(Number(session.first_ns)),
  last: clock.wall(Number(session.last_ns)),
  ...(session.ended_ns === 0n ? {} : { ended: clock.wall(Number(session.ended_ns)) }),
  connects: Number(session.connects),
  sends: Number(session.sends),
  denied: Number(session.denied),
  audited: Number(session.audited),
  auth_tries: Number(session.auth_tries),
  auth_fails: Number(session.auth_fails),
  auth_oks: Number(session.auth_oks),
});

/** Runs the actor fixture and reads back what the agent saw of it. */
import { statSync } from 'node:fs';
import { afterAll, beforeAll } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { callAgent } from '../../src/control/client.js';
import type { Event, EventKind } from '../../src/model/event.js';
import { compiled } from './fixtures/compile.js';
import { type AgentStart, type Running, Stand, until } from './stand.js';

export const ACTOR = compiled('actor');
/** The kernel keeps 15 characters of a program's name. */
export const ACTOR_COMM = ACTOR.slice(ACTOR.lastIndexOf('/') + 1).slice(0, 15);

/** One stand with its agent for all tests of a file: they tell their events apart by process. */
export const sharedStand = (options: AgentStart): (() => Stand) => {
  let stand: Stand | undefined;
  beforeAll(async () => {
    stand = new Stand();
    await stand.start(options);
  });
  afterAll(() => stand?.close());
  return () => stand as Stand;
};

/** Nothing is decided: no event of a test matches. */
export const QUIET = `kerngate: 1
policy: quiet
on: connect
match: {dst.port: 7}
then: {alert: true}
`;

/** An actor in `cgroup`, the stand's own by default. */
export const startActor = (stand: Stand, steps: readonly string[], cgroup = stand.cgroup): Running =>
  stand.spawn(ACTOR, [cgroup, ...steps]);

/** Numbers of the `nth` line that begins with `verb`. */
export const said = (actor: Running, verb: string, nth = 0): number[] =>
  (actor.lines.filter((line) => line.startsWith(`${verb} `))[nth] ?? '').split(' ').slice(1).map(Number);

/** Runs an actor to its end and waits until the agent has seen that. */
export const act = async (stand: Stand, steps: readonly string[], cgroup?: string): Promise<Running> => {
  const actor = startActor(stand, steps, cgroup);
  await actor.line(/^done /);
  await seen(stand, actor.pid, 'exit');
  return actor;
};

/** Events of a process, oldest first; asked in this process, which is quicker than a command. */
export const eventsOf = (stand: Stand, pid: number, kind?: EventKind): Promise<Event[]> => {
  const query = kind === undefined ? `pid=${pid}` : `pid=${pid}&kind=${kind}`;
  return callAgent<Event[]>(stand.socket, 'GET', `/v1/events?${query}`);
};

/** All counters of `status`. */
export const countersOf = async (stand: Stand): Promise<Record<string, number>> =>
  (await callAgent<Status>(stand.socket, 'GET', '/v1/status')).counters;

/** The same without the beginning and the end of every actor: its exec in the scope and its exit. */
export const deedsOf = async (stand: Stand, pid: number): Promise<Event[]> => {
  const [begun, ...rest] = await eventsOf(stand, pid);
  if (begun?.kind !== 'exec') throw new Error(`${pid} begins with ${begun?.kind}`);
  return rest.filter(({ kind }) => kind !== 'exit');
};

/** Waits until `count` events of a kind are there; answers them. */
export const seen = async (stand: Stand, pid: number, kind: EventKind, count = 1): Promise<Event[]> => {
  let found: Event[] = [];
  await until(`${count} ${kind} of ${pid}`, async () => {
    found = await eventsOf(stand, pid, kind);
    return found.length >= count;
  });
  return found;
};

/** What every event of an actor carries; `steps` as it was started. */
export const common = (stand: Stand, actor: Running, steps: readonly string[]): Partial<Event> => ({
  v: 1,
  pid: actor.pid,
  ppid: process.pid,
  session: null,
  uid: 0,
  user: 'root',
  comm: ACTOR_COMM,
  exe: ACTOR,
  cmdline: [ACTOR, '-', ...steps].join(' '),
  cgroup: groupOf(stand.cgroup),
  verdict: 'none',
  lost: 0,
});

/** How events name a cgroup. */
export const groupOf = (folder: string): Event['cgroup'] => ({
  id: statSync(folder, { bigint: true }).ino.toString(),
  path: folder.slice(folder.indexOf('/kerngate-stand-')),
});

/** Without what differs from run to run; its form is checked on the way. */
export const timeless = ({ at, boot_ns, start, ...rest }: Event): Omit<Event, 'at' | 'boot_ns' | 'start'> => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(at)) throw new Error(`no RFC 3339 time in UTC: ${at}`);
  if (!(BigInt(start) > 0n && BigInt(boot_ns) >= BigInt(start))) throw new Error(`${start} after ${boot_ns}`);
  return rest;
};

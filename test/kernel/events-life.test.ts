/** Process life as events: exec, fork and exit, who did what, and who is not watched at all. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.js';
import {
  ACTOR,
  ACTOR_COMM,
  act,
  common,
  countersOf,
  deedsOf,
  eventsOf,
  groupOf,
  QUIET,
  said,
  seen,
  sharedStand,
  startActor,
  timeless,
} from './acting.js';
import { until } from './stand.js';

const shared = sharedStand({ policy: QUIET });
const CONNECT = 'tcp,127.0.0.1,1';
const kindsOf = (events: readonly Event[]): string[] => events.map(({ kind }) => kind);

describe('process life', () => {
  it('is exec, fork and exit, with path, arguments, parent and child', async () => {
    const stand = shared();
    const steps = [`fork,${CONNECT}`];
    const actor = await act(stand, steps);
    const [child = 0] = said(actor, 'fork');
    const who = common(stand, actor, steps);
    expect((await eventsOf(stand, actor.pid)).map(timeless)).toEqual([
      { ...who, kind: 'exec' },
      { ...who, kind: 'fork', child },
      { ...who, kind: 'exit' },
    ]);
    const born = { ...who, pid: child, ppid: actor.pid };
    const events = await eventsOf(stand, child);
    expect(kindsOf(events)).toEqual(['connect', 'connect.fail', 'exit']);
    for (const event of events) expect(timeless(event)).toMatchObject(born);
  });

  it('of milliseconds is known by its own program and arguments', async () => {
    const stand = shared();
    const actor = await act(stand, [`spawn,${CONNECT}`]);
    const [child = 0] = said(actor, 'fork');
    await seen(stand, child, 'exit');
    const events = await eventsOf(stand, child);
    expect(kindsOf(events)).toEqual(['exec', 'connect', 'connect.fail', 'exit']);
    for (const event of events) {
      expect(event).toMatchObject({
        pid: child,
        ppid: actor.pid,
        comm: ACTOR_COMM,
        exe: ACTOR,
        cmdline: `${ACTOR} - ${CONNECT}`,
      });
    }
  });

  it('starts when the kernel says it did', async () => {
    const stand = shared();
    const actor = startActor(stand, [CONNECT, 'wait']);
    await actor.line(/^tcp /);
    const [event] = await seen(stand, actor.pid, 'connect');
    const stat = readFileSync(`/proc/${actor.pid}/stat`, 'utf8');
    const tick = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    expect(event?.start.slice(0, -7)).toBe(tick);
    actor.child.stdin?.end();
    await actor.line(/^done /);
  });
});

describe('threads', () => {
  it('act in the name of their process', async () => {
    const stand = shared();
    const steps = [`thread,${CONNECT}`];
    const actor = await act(stand, steps);
    const deeds = await deedsOf(stand, actor.pid);
    expect(kindsOf(deeds)).toEqual(['connect', 'connect.fail']);
    for (const deed of deeds) expect(timeless(deed)).toMatchObject(common(stand, actor, steps));
  });

  it('make a new program of their process without making a new process', async () => {
    const stand = shared();
    const before = `texec,${CONNECT}`;
    const actor = await act(stand, [CONNECT, before]);
    const events = await eventsOf(stand, actor.pid);
    const attempt = ['connect', 'connect.fail'];
    expect(kindsOf(events)).toEqual(['exec', ...attempt, 'exec', ...attempt, 'exit']);
    const starts = new Set(events.map(({ pid, start }) => `${pid}@${start}`));
    expect(starts.size).toBe(1);
    /* each event tells of the program that did it, also of the one that is gone */
    const lines = events.map(({ cmdline }) => cmdline);
    expect(lines.slice(0, 3)).toEqual(Array(3).fill(`${ACTOR} - ${CONNECT} ${before}`));
    expect(lines.slice(3)).toEqual(Array(4).fill(`${ACTOR} - ${CONNECT}`));
  });
});

describe('who it was', () => {
  it('names user and audit session', async () => {
    const stand = shared();
    const actor = await act(stand, ['login,33', 'uid,33', CONNECT]);
    const deeds = await deedsOf(stand, actor.pid);
    const www = /^([^:]+):[^:]*:33:/m.exec(readFileSync('/etc/passwd', 'utf8'))?.[1];
    expect(deeds.map(({ uid, user }) => [uid, user])).toEqual([
      [33, www],
      [33, www],
    ]);
    const [first, second] = deeds.map(({ session }) => session);
    expect(first).toBeGreaterThan(0);
    expect(second).toBe(first);
  });

  it('names a cgroup below the scope by its path, though nobody lives there any more', async () => {
    const stand = shared();
    const group = stand.makeCgroup('deep');
    const actor = await act(stand, [CONNECT], group);
    await until('the tree was walked', async () =>
      (await eventsOf(stand, actor.pid)).every(({ cgroup }) => cgroup.path !== ''),
    );
    const events = await eventsOf(stand, actor.pid);
    expect(events.map(({ cgroup }) => cgroup)).toEqual(Array(4).fill(groupOf(group)));
  });
});

describe('scope', () => {
  it('leaves out what runs beside it, and the agent itself', async () => {
    const stand = shared();
    const before = await countersOf(stand);
    const outside = stand.connectorIn('-', 'loop', 23);
    await outside.line(/^passed 23 /);
    const { code } =
      await stand.cli('status'); /* the agent answers on its socket, which is no event either */
    expect(code).toBe(0);
    const inside = await act(stand, [CONNECT]);
    await until('all is read', async () => {
      const now = await countersOf(stand);
      return now.ev_sent === (now.events_seen ?? 0) - (now.vd_sent ?? 0);
    });
    const after = await countersOf(stand);
    expect((after.ev_sent ?? 0) - (before.ev_sent ?? 0)).toBe((await eventsOf(stand, inside.pid)).length);
    expect((after.gate_hits ?? 0) - (before.gate_hits ?? 0)).toBe(1);
    expect(await eventsOf(stand, outside.pid)).toEqual([]);
    expect(await eventsOf(stand, stand.agent?.pid ?? 0)).toEqual([]);
  });
});

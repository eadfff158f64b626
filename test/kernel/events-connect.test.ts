/** What the agent tells of attempts to reach the network, field by field, from real traffic. */
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.js';
import {
  act,
  common,
  deedsOf,
  eventsOf,
  QUIET,
  said,
  seen,
  sharedStand,
  startActor,
  timeless,
} from './acting.js';
import { compiled } from './fixtures/compile.js';
import { withStand } from './stand.js';

/** Nobody listens here. */
const refusing = 1;
const shared = sharedStand({ policy: QUIET });

describe('an attempt to connect', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::', '::1'],
  ])('over TCP to %s is one to %s, refused there', async (address, shown) => {
    const stand = shared();
    const steps = [`tcp,${address},${refusing}`];
    const actor = await act(stand, steps);
    const [errno, port] = said(actor, 'tcp');
    expect(errno).toBe(111);
    const [attempt, outcome, ...more] = await deedsOf(stand, actor.pid);
    const dst = { ip: shown, port: refusing };
    const who = { ...common(stand, actor, steps), proto: 'tcp', dst };
    expect(timeless(attempt as Event)).toEqual({ ...who, kind: 'connect' });
    expect(timeless(outcome as Event)).toEqual({
      ...who,
      kind: 'connect.fail',
      src: { ip: shown, port },
      result: 'ECONNREFUSED',
    });
    expect(more).toEqual([]);
  });

  it.each([
    ['udp', 'connect', '127.0.0.1', '127.0.0.1'],
    ['udp', 'connect', '::1', '::1'],
    ['udp', 'connect', '::ffff:127.0.0.1', '127.0.0.1'],
    ['send', 'send', '127.0.0.1', '127.0.0.1'],
    ['send', 'send', '::1', '::1'],
    ['send', 'send', '::ffff:127.0.0.1', '127.0.0.1'],
    ['send', 'send', '0.0.0.0', '127.0.0.1'],
  ])('%s is one %s: %s, shown as %s', async (verb, kind, address, shown) => {
    const stand = shared();
    const steps = [`${verb},${address},9`];
    const actor = await act(stand, steps);
    const events = await deedsOf(stand, actor.pid);
    expect(events.map(timeless)).toEqual([
      { ...common(stand, actor, steps), kind, proto: 'udp', dst: { ip: shown, port: 9 } },
    ]);
  });
});

describe('a connection', () => {
  it('is told by both ends, from the attempt to the close', async () => {
    const stand = shared();
    const serving = ['listen,127.0.0.1,0', 'accept', 'close'];
    const server = startActor(stand, serving);
    await server.line(/^listen 0 /);
    const [, port = 0] = said(server, 'listen');
    const calling = [`tcp,127.0.0.1,${port}`];
    const client = await act(stand, calling);
    const [errno, from] = said(client, 'tcp');
    expect(errno).toBe(0);
    await server.line(/^done /);
    const near = { ip: '127.0.0.1', port: from };
    const far = { ip: '127.0.0.1', port };
    const ends = { proto: 'tcp', src: near, dst: far };
    await seen(stand, client.pid, 'close');
    await seen(stand, server.pid, 'close');
    const caller = common(stand, client, calling);
    expect((await deedsOf(stand, client.pid)).map(timeless)).toEqual([
      { ...caller, kind: 'connect', proto: 'tcp', dst: far },
      { ...caller, kind: 'connect.ok', ...ends, result: 0 },
      { ...caller, kind: 'close', ...ends },
    ]);
    const called = common(stand, server, serving);
    expect((await deedsOf(stand, server.pid)).map(timeless)).toEqual([
      { ...called, kind: 'listen', proto: 'tcp', dst: far },
      { ...called, kind: 'accept', ...ends },
      { ...called, kind: 'close', ...ends },
    ]);
  });

  it('to a listener older than the agent has no owner, is counted, and is not given to somebody else', () =>
    withStand(async (stand) => {
      const server = startActor(stand, ['listen,127.0.0.1,0', 'accept']);
      await server.line(/^listen 0 /);
      const [, port = 0] = said(server, 'listen');
      await stand.start({ policy: QUIET });
      const client = await act(stand, [`tcp,127.0.0.1,${port}`]);
      const [, from] = said(client, 'tcp');
      const accepts = await stand.json<Event[]>('events', '--kind', 'accept');
      const [accepted] = accepts;
      expect(accepted).toMatchObject({
        pid: 0,
        ppid: 0,
        session: null,
        comm: '',
        exe: '',
        cgroup: common(stand, client, []).cgroup,
        src: { ip: '127.0.0.1', port: from },
        dst: { ip: '127.0.0.1', port },
      });
      const { counters } = await stand.json<{ counters: Record<string, number> }>('status');
      expect(counters.no_owner).toBe(1);
      expect(accepts).toHaveLength(1);
    }));
});

describe('counting', () => {
  it('gives exactly 23 events for 23 attempts', async () => {
    const stand = shared();
    const connector = stand.connector('loop', 23);
    await connector.line(/^passed 23 denied 0 other 0$/);
    await seen(stand, connector.pid, 'exit');
    const kinds = (await eventsOf(stand, connector.pid)).map(({ kind }) => kind);
    const count = (kind: string) => kinds.filter((known) => known === kind).length;
    expect([count('connect'), count('connect.fail'), kinds.length]).toEqual([23, 23, 47]);
  });

  it('sees a connect that came through io_uring, with the right process', async () => {
    const stand = shared();
    const program = stand.spawn(compiled('uring'), [stand.cgroup, String(refusing)]);
    expect(await program.line(/^uring /)).toBe('uring 111');
    const [attempt, ...more] = await seen(stand, program.pid, 'connect');
    expect(attempt).toMatchObject({
      pid: program.pid,
      proto: 'tcp',
      dst: { ip: '127.0.0.1', port: refusing },
    });
    expect(more).toEqual([]);
  });
});

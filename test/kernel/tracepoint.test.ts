/** The second source of connect events: the same events for plain TCP, its declared gaps, and the way back. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.js';
import { act, deedsOf, QUIET, said, startActor, timeless } from './acting.js';
import { burst, type Stand, withStand } from './stand.js';

const TRACEPOINT = 'telemetry: {connect: tracepoint}\nlimits: {windows: 64}\n';
const CGROUP = 'telemetry: {connect: cgroup}\nlimits: {windows: 64}\n';
const STEPS = ['tcp,127.0.0.1,1', 'tcp,::1,1', 'tcp,::ffff:127.0.0.1,1', 'tcp,0.0.0.0,1', 'udp,127.0.0.1,9'];

/** What both sources must say alike: everything but the time and the process. */
const comparable = (event: Event): unknown => ({
  ...timeless(event),
  pid: 0,
  cgroup: '',
  src: { ...event.src, port: 0 },
});

const connectsOf = async (stand: Stand): Promise<unknown[]> => {
  const actor = await act(stand, STEPS);
  return (await deedsOf(stand, actor.pid)).map(comparable);
};

describe('the tracepoint as source', () => {
  it('tells the same of a plain connect as the cgroup hook, and gives way to it again', () =>
    withStand(async (stand) => {
      await stand.start({ policy: QUIET, config: CGROUP });
      const byCgroup = await connectsOf(stand);
      expect(byCgroup).toHaveLength(9);
      expect(await stand.stop()).toBe(0);
      await stand.start({ config: TRACEPOINT });
      expect((await hooks(stand)).includes('kg_tp_connect')).toBe(true);
      expect(await connectsOf(stand)).toEqual(byCgroup);
      expect(await stand.stop()).toBe(0);
      const again = await stand.start({ config: 'limits: {windows: 64}\n' });
      expect(await again.line(/^ready /)).toMatch(/ adopted$/);
      expect((await hooks(stand)).includes('kg_tp_connect')).toBe(false);
      expect(await connectsOf(stand)).toEqual(byCgroup);
    }));

  it('changes nothing about what is refused', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst(), config: TRACEPOINT });
      expect(await stand.attack('loop', 1000)).toEqual({ passed: 5, denied: 995, other: 0 });
    }));

  it('leaves out Unix sockets, and sees a call that is repeated on one socket each time', () =>
    withStand(async (stand) => {
      const path = join(stand.dir, 'server.sock');
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(path, resolve));
      try {
        await stand.start({ policy: QUIET, config: TRACEPOINT });
        const repeated = await repeatOn(stand, path);
        expect(repeated).toBe(3);
        await stand.stop();
        await stand.start({ config: CGROUP });
        expect(await repeatOn(stand, path)).toBe(1);
      } finally {
        server.close();
      }
    }));
});

/** Connect events of one connection whose call is made three times, and of a Unix socket. */
const repeatOn = async (stand: Stand, path: string): Promise<number> => {
  const server = startActor(stand, ['listen,127.0.0.1,0', 'accept']);
  await server.line(/^listen /);
  const [, port] = said(server, 'listen');
  const actor = await act(stand, [`tcp,127.0.0.1,${port}`, `again,127.0.0.1,${port}`, `unix,${path}`]);
  expect(said(actor, 'again')).toEqual([106, 106]);
  expect(said(actor, 'unix')).toEqual([0]);
  const events = (await deedsOf(stand, actor.pid)).filter(({ kind }) => kind === 'connect');
  for (const { proto, dst } of events) expect([proto, dst?.port]).toEqual(['tcp', port]);
  return events.length;
};

const hooks = async (stand: Stand): Promise<string[]> =>
  (await stand.json<{ hooks: { program: string }[] }>('status')).hooks.map(({ program }) => program);

/** The guard of the stronger levels: what it settles itself, what it leaves to the gate, and whom it leaves alone. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import type { Event } from '../../src/model/event.js';
import { countersOf, QUIET, said, startActor } from './acting.js';
import { gated, isMadeInVain, LEVELS, loadFamilies, startAt, startTrying, tryAll } from './at-level.js';
import { compiled } from './fixtures/compile.js';
import { blocks, expectStep } from './life.js';
import { burst, type Running, type Stand, withStand } from './stand.js';

beforeAll(loadFamilies);

const hits = async (stand: Stand): Promise<number> =>
  (await blocks(stand)).reduce((sum, block) => sum + block.hits, 0);

/** Events of its attempts, as `protocol/verdict`. */
const told = async (stand: Stand, actor: Running): Promise<string[]> =>
  (await stand.json<Event[]>('events', '--pid', String(actor.pid)))
    .filter(({ kind }) => kind === 'connect' || kind === 'hit')
    .map(({ proto, verdict }) => `${proto ?? '-'}/${verdict}`);

const PROTO: Readonly<Record<string, string>> = {
  tcp: 'tcp',
  tcp6: 'tcp',
  mptcp: 'tcp',
  udp: 'udp',
  raw: 'other',
  raw6: 'other',
  sctp: 'sctp',
  vsock: '-',
};

describe.each(LEVELS)('at level %s', (level) => {
  const isGuarded = level !== 'cgroup';

  it('each refusal is one hit and one event, of every family', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: QUIET }))) return;
      const actor = await startTrying(stand);
      await stand.cli('block', '--pid', String(actor.pid));
      const { denied } = await tryAll(actor);
      expect(await hits(stand)).toBe(denied.length);
      const refused = (await told(stand, actor)).filter((row) => row.endsWith('/deny'));
      expect(refused).toEqual(denied.map((way) => `${PROTO[way]}/deny`));
      const [session] = (await stand.json<{ pid: number; denied: number }[]>('sessions')).filter(
        ({ pid }) => pid === actor.pid,
      );
      expect(session?.denied).toBe(denied.length);
    }));

  it('audit lets everything pass, and each attempt is told and counted once', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { mode: 'audit', policy: QUIET }))) return;
      const actor = await startTrying(stand);
      await stand.cli('block', '--pid', String(actor.pid));
      const { denied, open } = await tryAll(actor);
      expect(denied).toEqual([]);
      /* the making and the connect of a socket that would have been refused when it was made */
      const seen = isGuarded ? open.flatMap((way) => (isMadeInVain(way) ? [way, way] : [way])) : gated(open);
      expect(await told(stand, actor)).toEqual(seen.map((way) => `${PROTO[way]}/audit`));
      expect(await hits(stand)).toBe(seen.length);
    }));

  it('an allow entry spares, and a panic opens', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: QUIET }))) return;
      const actor = await startTrying(stand);
      const cgroup = stand.makeCgroup('blocked');
      const inside = await startTrying(stand, cgroup);
      await stand.cli('block', '--cgroup', cgroup);
      expect((await stand.cli('allow', 'add', `pid:${inside.pid}`)).code).toBe(0);
      expect((await tryAll(inside)).denied).toEqual([]);
      expect((await countersOf(stand)).spared).toBeGreaterThan(0);
      await stand.cli('block', '--pid', String(actor.pid));
      expect((await tryAll(actor)).denied).not.toEqual([]);
      await stand.cli('panic');
      expect((await tryAll(actor)).denied).toEqual([]);
      // The end of the panic proves the level anew; nothing old comes back.
      expect((await stand.cli('mode', 'enforce')).code).toBe(0);
      expect((await tryAll(actor)).denied).toEqual([]);
      expect(await stand.json('status')).toMatchObject({ level, degraded: [] });
    }));

  it('a block of a cgroup reaches its descendants; who is out of scope is left alone', () =>
    withStand(async (stand) => {
      if (
        !(await startAt(stand, level, {
          policy: burst({ by: 'destination', extra: 'match: {dst.port: 2}\n' }),
        }))
      )
        return;
      const outer = stand.makeCgroup('outer');
      const inner = stand.makeCgroup('outer/inner');
      const actor = await startTrying(stand, inner);
      await stand.cli('block', '--cgroup', outer);
      const { denied } = await tryAll(actor);
      expect(denied).toContain('raw');
      expect(denied).toContain('tcp');
      expect(await hits(stand)).toBe(denied.length);
      // A destination is closed to all who are in scope.
      expect(await stand.attack('loop', 10, 1, '127.0.0.1', 2)).toEqual({ passed: 5, denied: 5, other: 0 });
      expect(await stand.attack('loop', 10, 1, '127.0.0.1', 2)).toEqual({ passed: 0, denied: 10, other: 0 });
      const outside = stand.connectorIn('-', 'loop', 20, 1, '127.0.0.1', 2);
      expect(await outside.line(/^passed/)).toBe('passed 20 denied 0 other 0');
    }));

  it('a standing verdict of a window holds on every way, and its hits are exact', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: burst({ limit: 3, by: 'cgroup' }) }))) return;
      const cgroup = stand.makeCgroup('crowd');
      const actor = await startTrying(stand, cgroup);
      const stepper = stand.connectorIn(cgroup, 'step', 0);
      for (let attempt = 0; attempt < 3; attempt++) await expectStep(stepper, 'passed');
      await expectStep(stepper, 'denied');
      const { denied } = await tryAll(actor);
      expect(denied).toContain('raw');
      const [block] = await stand.json<Decision[]>('blocks');
      expect(block).toMatchObject({ policy: 'burst', level, hits: 1 + denied.length });
    }));

  it('a connect that comes through io_uring is refused once', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: QUIET }))) return;
      const cgroup = stand.makeCgroup('ring');
      const before = stand.spawn(compiled('uring'), [cgroup, '1']);
      expect(await before.line(/^uring /)).toBe('uring 111');
      await stand.cli('block', '--cgroup', cgroup);
      const after = stand.spawn(compiled('uring'), [cgroup, '1']);
      expect(await after.line(/^uring /)).toBe('uring 1');
      expect(await hits(stand)).toBe(1);
      expect(await told(stand, after)).toEqual(['tcp/deny']);
    }));

  it('leaves connections that stand, and local sockets', () =>
    withStand(async (stand) => {
      if (!(await startAt(stand, level, { policy: QUIET }))) return;
      const path = join(stand.dir, 'server.sock');
      const unix = createServer().listen(path);
      const server = startActor(stand, ['listen,127.0.0.1,0', 'accept']);
      await server.line(/^listen /);
      const [, port] = said(server, 'listen');
      const there = `127.0.0.1,${port}`;
      const actor = startActor(stand, [
        `tcp,${there}`,
        'wait',
        `again,${there}`,
        `unix,${path}`,
        `tcp,${there}`,
      ]);
      await actor.line(/^tcp 0 /);
      await stand.cli('block', '--pid', String(actor.pid));
      actor.child.stdin?.write('\n');
      await actor.line(/^done /);
      unix.close();
      expect([said(actor, 'again'), said(actor, 'unix'), said(actor, 'tcp', 1)[0]]).toEqual([
        [106, 106],
        [0],
        1,
      ]);
      expect(await told(stand, actor)).toEqual(['tcp/none', 'tcp/deny']);
    }));
});

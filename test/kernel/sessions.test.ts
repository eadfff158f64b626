/** The kernel's per-process table: what it counts, when it ends, and that it cannot grow without end. */
import { describe, expect, it } from 'vitest';
import type { SessionRow } from '../../src/control/api.js';
import { callAgent } from '../../src/control/client.js';
import { act, groupOf, QUIET } from './acting.js';
import { burst, type Stand, until, withStand } from './stand.js';

/** Entries of kg_sessions. */
const ROOM = 16_384;

const sessions = (stand: Stand): Promise<SessionRow[]> =>
  callAgent<SessionRow[]>(stand.socket, 'GET', '/v1/sessions');
const sessionOf = async (stand: Stand, pid: number): Promise<SessionRow | undefined> =>
  (await sessions(stand)).find((row) => row.pid === pid);

describe('sessions', () => {
  it('count connects, sends and refusals of each process apart, and know its end', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst({ limit: 3 }) });
      const attacker = stand.connector('crowd', 1);
      await attacker.line(/^up$/);
      const living = (await sessions(stand)).find(({ pid }) => pid !== attacker.pid);
      expect(living).toMatchObject({
        connects: 1,
        sends: 0,
        denied: 0,
        uid: 0,
        cgroup: groupOf(stand.cgroup),
      });
      expect(living).not.toHaveProperty('ended');
      await attacker.finish();
      await until(
        'its end is noted',
        async () => (await sessionOf(stand, living?.pid ?? 0))?.ended !== undefined,
      );

      const loop = stand.connector('loop', 11);
      await loop.line(/^passed 3 denied 8 /);
      expect(await sessionOf(stand, loop.pid)).toMatchObject({
        connects: 3,
        sends: 0,
        denied: 8,
        audited: 0,
      });
      const sender = stand.connector('send', 7);
      await sender.line(/^passed 7 /);
      expect(await sessionOf(stand, sender.pid)).toMatchObject({ connects: 0, sends: 7, denied: 0 });
      const silent = await act(stand, ['unix,/nowhere']);
      expect(await sessionOf(stand, silent.pid)).toBeUndefined();
    }));

  it('count what audit would have refused', () =>
    withStand(async (stand) => {
      await stand.start({ policy: burst({ limit: 3 }) });
      const loop = stand.connector('loop', 11);
      await loop.line(/^passed 11 denied 0 /);
      expect(await sessionOf(stand, loop.pid)).toMatchObject({ connects: 11, denied: 0, audited: 8 });
    }));

  it('keep the latest processes of more than there is room for', () =>
    withStand(async (stand) => {
      await stand.start({ policy: QUIET });
      const many = stand.connector('forks', ROOM + 1500);
      await many.line(/^passed /);
      const last = await act(stand, ['udp,127.0.0.1,9']);
      const rows = await sessions(stand);
      expect(rows.length).toBeLessThanOrEqual(ROOM);
      expect(rows.length).toBeGreaterThan(ROOM / 2);
      expect(rows.at(-1)).toMatchObject({ pid: last.pid, connects: 1 });
      const first = rows.map(({ first }) => first);
      expect(first).toEqual([...first].sort());
    }));
});

/** A full map of windows opens nothing: who gets none of his own shares one with his cgroup. */
import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { KG_SUBJECT_KIND } from '../../src/abi/generated.js';
import type { Status } from '../../src/control/api.js';
import { closeMaps, pinnedMaps } from '../../src/kernel/maps.js';
import { native } from '../../src/kernel/native.js';
import { compiled } from './fixtures/compile.js';
import { Player } from './player.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

/** 64 windows: a cgroup may hold 16 of them, a user 32. */
const CONFIG = 'limits: {windows: 64}\n';

const flooded = (policy: string, work: Parameters<typeof withStand>[0]) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy, config: CONFIG });
    await work(stand);
  });

const counters = async (stand: Stand) => (await stand.json<Status>('status')).counters;

const crowd = async (stand: Stand, cgroup: string, count: number, uid = 0): Promise<Running> => {
  const program = `exec setpriv --reuid ${uid} --clear-groups ${compiled('connector')} - crowd ${count}`;
  const running = stand.spawn('/bin/sh', ['-c', `echo $$ > ${cgroup}/cgroup.procs; ${program}`]);
  await running.line(/^up$/);
  return running;
};

const many = (stand: Stand, count: number, cgroup: string) =>
  Promise.all(Array.from({ length: count }, () => Player.start(stand, { cgroup })));

/** Windows in use by cgroup and by user: as the quotas tell, and as the windows themselves show. */
const charges = (stand: Stand) => {
  const maps = pinnedMaps(native(), stand.pin);
  try {
    const told: Record<string, number> = {};
    for (const [key, { made, gone }] of maps.quotas.entries()) {
      const used = Number(made - gone - (maps.swept.get(key) ?? 0n));
      if (used !== 0) told[`${key.kind === KG_SUBJECT_KIND.CGROUP ? 'cgroup' : 'user'} ${key.id}`] = used;
    }
    const held: Record<string, number> = {};
    for (const [, { cgroup, uid }] of maps.windows.entries()) {
      for (const who of [`cgroup ${cgroup}`, `user ${uid}`]) held[who] = (held[who] ?? 0) + 1;
    }
    return { told, held };
  } finally {
    closeMaps(maps);
  }
};

/** The quotas agree with the windows, of which `who` holds so many. The agent may be sweeping meanwhile. */
const isTrue = (stand: Stand, who: string, count: number | undefined): boolean => {
  const { told, held } = charges(stand);
  return held[who] === count && isDeepStrictEqual(told, held);
};

const cgroupId = (path: string): string => String(statSync(path, { bigint: true }).ino);

const passesOf = async (players: readonly Player[], each: number): Promise<number[]> => {
  const rows = [];
  for (const player of players) rows.push((await player.row(each)).replaceAll('-', '').length);
  return rows;
};

describe('when a crowd holds all windows of its cgroup', () => {
  it('an attacker beside it passes no more than with one of his own', () =>
    flooded(burst({ within: '1h' }), async (stand) => {
      const place = stand.makeCgroup('crowd');
      const running = await crowd(stand, place, 120);
      const tally = await stand.connectorIn(place, 'threads', 500, 8).finish();
      expect(tally.passed).toBeLessThanOrEqual(5);
      expect(tally.other).toBe(0);
      // Several together, of whom none has a window: what passes, passes for all of them.
      const passes = await passesOf(await many(stand, 5, place), 20);
      expect(Math.max(...passes)).toBeLessThanOrEqual(5);
      // Sixteen had windows of their own, five the shared one: nothing more passed in this cgroup.
      expect((await running.finish()).passed + tally.passed + passes.reduce((a, b) => a + b)).toBe(21);
      expect((await counters(stand)).win_full).toBeGreaterThan(0);
    }));

  it('another cgroup is not touched', () =>
    flooded(burst({ within: '1h' }), async (stand) => {
      await crowd(stand, stand.makeCgroup('crowd'), 120);
      const before = (await counters(stand)).win_full;
      const players = await many(stand, 16, stand.makeCgroup('calm'));
      expect(await passesOf(players, 7)).toEqual(Array(16).fill(5));
      expect((await counters(stand)).win_full).toBe(before);
    }));

  it('its end gives the windows back, every time, to the last one', () =>
    flooded(burst({ within: '1h' }), async (stand) => {
      const place = stand.makeCgroup('crowd');
      const calm = await many(stand, 3, stand.makeCgroup('calm'));
      for (const player of calm) await player.attempt();
      // The last finds its windows given back by all before it, or it would hold fewer.
      for (const count of [16, 16, 16, 16, 120]) {
        const running = await crowd(stand, place, count);
        await until('the quotas tell of sixteen', () => isTrue(stand, `cgroup ${cgroupId(place)}`, 16));
        await running.finish();
        await until('the quotas tell of none', () => isTrue(stand, `cgroup ${cgroupId(place)}`, undefined));
      }
      expect(charges(stand).held).toMatchObject({ 'user 0': 3 });
    }));

  it('after it each has a window of his own again', () =>
    flooded(burst({ within: '200ms', time: '500ms' }), async (stand) => {
      const place = stand.makeCgroup('crowd');
      await (await crowd(stand, place, 120)).finish();
      const [one, two] = [
        await Player.start(stand, { cgroup: place }),
        await Player.start(stand, { cgroup: place }),
      ];
      await until('the block of the shared window is over', async () => (await one.attempt()).passed);
      // Once nobody has met the shared window for the rule's span.
      await sleep(250);
      for (const player of [one, two]) {
        expect(await player.row(1)).toBe('+');
        expect(charges(stand).held[`cgroup ${cgroupId(place)}`]).toBe(player === one ? 1 : 2);
      }
    }));
});

describe('when the whole map is full', () => {
  it('a stranger shares too, and wins nothing by filling and freeing it', () =>
    flooded(burst({ within: '1h' }), async (stand) => {
      const places = [0, 1, 2, 3].map((n) => stand.makeCgroup(`crowd${n}`));
      const place = stand.makeCgroup('stranger');
      const attacker = await Player.start(stand, { cgroup: place });
      let row = '';
      for (let round = 0; round < 3; round++) {
        const crowds = [];
        for (const [n, cgroup] of places.entries())
          crowds.push(await crowd(stand, cgroup, 17, 1001 + (n >> 1)));
        row += await attacker.row(2);
        for (const running of crowds) await running.finish();
        row += await attacker.row(2);
      }
      expect(row).toBe('+++++-------');
      const { win_full: full } = await counters(stand);
      expect(full).toBeGreaterThan(0);
    }));
});

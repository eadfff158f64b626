/** Whom a window counts for: children, threads and strangers share it exactly where the key says so. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import { compiled } from './fixtures/compile.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';

/** What this test starts begins a lineage each, as what sshd starts does. */
const LAUNCHERS = `launchers: [${process.execPath}]\n`;

const counted = (by: string, work: (stand: Stand) => Promise<void>, block = by) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ by, block }), config: LAUNCHERS });
    await work(stand);
  });

const oneBlock = async (stand: Stand): Promise<Decision> => {
  await until('there is a decision', async () => (await stand.json<Decision[]>('blocks')).length > 0);
  const blocks = await stand.json<Decision[]>('blocks');
  expect(blocks.length).toBe(1);
  return blocks[0] as Decision;
};

describe('short-lived children', () => {
  it.each(['lineage', 'cgroup'])('pass five times in all by %s', (by) =>
    counted(by, async (stand) => {
      const place = stand.makeCgroup('forks');
      const forks = await stand.connectorIn(place, 'forks', 300).finish();
      expect(forks).toEqual({ passed: 5, denied: 295, other: 0 });
      // Five have passed in this cgroup; a new lineage elsewhere starts anew.
      const bursts = await stand.connectorIn(stand.makeCgroup('bursts'), 'burst', 300).finish();
      expect(bursts).toEqual({ passed: 5, denied: 295, other: 0 });
    }),
  );

  it('pass once each by process', () =>
    counted('process', async (stand) => {
      expect(await stand.attack('forks', 50)).toEqual({ passed: 50, denied: 0, other: 0 });
      expect(await stand.attack('burst', 50)).toEqual({ passed: 50, denied: 0, other: 0 });
    }));

  it('stay in their lineage when their parent ends', () =>
    counted('lineage', async (stand) => {
      const player = await Player.start(stand);
      expect(await player.row(2)).toBe('++');
      await player.tell('nest');
      expect(await player.row(2, 'child connect 127.0.0.1 1')).toBe('++');
      await player.tell('orphan');
      expect(await player.row(3)).toBe('+--');
      expect(await (await Player.start(stand)).row(1)).toBe('+');
      expect((await oneBlock(stand)).subject).toMatchObject({ kind: 'lineage' });
    }));
});

describe('a window', () => {
  it('is shared by all of one user', () =>
    counted(
      'user',
      async (stand) => {
        const [one, two, other] = [
          await Player.start(stand, { uid: 1001 }),
          await Player.start(stand, { uid: 1001, cgroup: stand.makeCgroup('two') }),
          await Player.start(stand, { uid: 1002 }),
        ];
        expect((await one.row(3)) + (await two.row(2)) + (await one.row(1)) + (await two.row(2))).toBe(
          '+++++---',
        );
        expect(await other.row(6)).toBe('+++++-');
      },
      'process',
    ));

  it('is shared by all of one executable, and by no copy of it', () =>
    counted(
      'exe',
      async (stand) => {
        const copy = join(stand.dir, 'copy');
        copyFileSync(compiled('player'), copy);
        const [one, two, other] = [
          await Player.start(stand),
          await Player.start(stand, { uid: 1001 }),
          await Player.start(stand, { program: copy }),
        ];
        expect((await one.row(3)) + (await two.row(3)) + (await one.row(1))).toBe('+++++--');
        expect(await other.row(5)).toBe('+++++');
        // Who turns into the other program is counted with it.
        await other.tell(`exec ${compiled('player')}`);
        expect(await other.row(1)).toBe('-');
      },
      'process',
    ));

  it('is shared by all that go to one destination, however it is written', () =>
    counted('destination', async (stand) => {
      const [one, two] = [await Player.start(stand), await Player.start(stand, { uid: 1001 })];
      expect(await one.row(3, 'connect 127.9.9.9 7')).toBe('+++');
      expect(await two.row(3, 'udp ::ffff:127.9.9.9 7')).toBe('++-');
      expect(await one.row(1, 'connect 127.9.9.9 7')).toBe('-');
      expect(await one.row(5, 'connect 127.9.9.9 8')).toBe('+++++');
      expect(await one.row(5, 'connect 127.9.9.8 7')).toBe('+++++');
      expect((await oneBlock(stand)).subject).toMatchObject({ kind: 'destination' });
    }));

  it('is shared by all of one audit session, and who has none is not counted', () =>
    counted('session', async (stand) => {
      const [outside, one, two] = [
        await Player.start(stand),
        await Player.start(stand),
        await Player.start(stand),
      ];
      expect(await outside.row(20)).toBe('+'.repeat(20));
      await one.tell('login 1001');
      await two.tell('login 1001');
      await one.tell('nest');
      expect(await one.row(2)).toBe('++');
      expect(await one.row(4, 'child connect 127.0.0.1 1')).toBe('+++-');
      expect(await two.row(5)).toBe('+++++');
      expect(await outside.row(1)).toBe('+');
      expect((await oneBlock(stand)).subject).toMatchObject({ kind: 'session' });
    }));
});

describe('a block wider than the key', () => {
  it('reaches the other processes of the cgroup, and a cgroup below, soon after', () =>
    counted(
      'process',
      async (stand) => {
        const place = stand.makeCgroup('guilty');
        const [guilty, sibling, below, stranger] = [
          await Player.start(stand, { cgroup: place }),
          await Player.start(stand, { cgroup: place }),
          await Player.start(stand, { cgroup: stand.makeCgroup('guilty/below') }),
          await Player.start(stand),
        ];
        // One process is refused in its own call, before anybody has heard of it.
        expect(await guilty.row(6)).toBe('+++++-');
        for (const player of [sibling, below]) {
          await until('it is denied too', async () => !(await player.attempt('send 127.0.0.1 9')).passed);
        }
        expect(await stranger.row(5)).toBe('+++++');
        const blocks = await stand.json<Decision[]>('blocks');
        expect(blocks.map(({ subject }) => subject.kind).sort()).toEqual(['cgroup', 'process']);
        // Taking back the cgroup's block releases its members.
        expect((await stand.cli('unblock', '--cgroup', place)).code).toBe(0);
        expect((await guilty.row(5)) + (await sibling.row(5)) + (await below.row(5))).toBe('+'.repeat(15));
      },
      'cgroup',
    ));
});

/** What the operator blocks is blocked before the command ends, and free again before unblock ends. */
import { mkdirSync, rmdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';

const enforced = (work: Parameters<typeof withStand>[0]) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ limit: 16, within: '10ms' }) });
    await work(stand);
  });

const ok = async (stand: Stand, ...words: string[]) => {
  const { code, stderr } = await stand.cli(...words);
  expect({ words, code, stderr }).toEqual({ words, code: 0, stderr: '' });
};

const WAYS = ['connect 127.0.0.1 1', 'send ::1 9', 'thread udp 127.0.0.1 9'];
const all = async (player: Player): Promise<string> => {
  let row = '';
  for (const way of WAYS) row += await player.row(1, way);
  return row;
};

describe('block', () => {
  it('--pid takes this process, and not its children', () =>
    enforced(async (stand) => {
      const [player, other] = [await Player.start(stand), await Player.start(stand)];
      await ok(stand, 'block', '--pid', String(player.pid));
      expect(await all(player)).toBe('---');
      expect(await player.row(1, 'child connect 127.0.0.1 1')).toBe('+');
      expect(await all(other)).toBe('+++');
      const [decision] = await stand.json<Decision[]>('blocks');
      expect(decision).toMatchObject({
        by: 'operator',
        hits: 3,
        mode: 'enforce',
        subject: { kind: 'process' },
      });
      await ok(stand, 'unblock', '--pid', String(player.pid));
      await ok(stand, 'unblock', '--pid', String(player.pid));
      expect(await all(player)).toBe('+++');
    }));

  it('--cgroup takes all below it, and who moves in', () =>
    enforced(async (stand) => {
      const place = stand.makeCgroup('guilty');
      const deep = stand.makeCgroup('guilty/below');
      const [inside, below, outside] = [
        await Player.start(stand, { cgroup: place }),
        await Player.start(stand, { cgroup: deep }),
        await Player.start(stand),
      ];
      await ok(stand, 'block', '--cgroup', place, '--for', '1h');
      expect([await all(inside), await all(below), await all(outside)]).toEqual(['---', '---', '+++']);
      await outside.tell(`enter ${deep}`);
      await inside.tell(`enter ${stand.cgroup}`);
      expect([await all(inside), await all(outside)]).toEqual(['+++', '---']);
      await ok(stand, 'unblock', '--cgroup', place);
      expect([await all(below), await all(outside)]).toEqual(['+++', '+++']);
    }));

  it('--pid --lineage takes descendants of before and after, and those that left the tree', () =>
    enforced(async (stand) => {
      const [root, daemon, other] = [
        await Player.start(stand),
        await Player.start(stand),
        await Player.start(stand),
      ];
      await root.tell('nest');
      const middle = await daemon.tell('nest');
      const last = await daemon.tell('orphan');
      expect(last).not.toBe(middle);
      for (const { pid } of [root, daemon]) await ok(stand, 'block', '--pid', String(pid), '--lineage');
      for (const player of [root, daemon]) {
        expect(await all(player)).toBe('---');
        expect(await player.row(1, 'child connect 127.0.0.1 1')).toBe('-');
        await player.tell('nest');
        await player.tell('orphan');
        expect(await all(player)).toBe('---');
        expect(await player.row(1, 'child connect 127.0.0.1 1')).toBe('-');
      }
      expect(await all(other)).toBe('+++');
      await ok(stand, 'unblock', '--pid', String(root.pid));
      expect([await all(root), await all(daemon)]).toEqual(['+++', '---']);
      await ok(stand, 'unblock', '--all');
      expect(await all(daemon)).toBe('+++');
      expect(await daemon.row(1, 'child connect 127.0.0.1 1')).toBe('+');
    }));

  it('ends by itself, with its last heir', () =>
    enforced(async (stand) => {
      const player = await Player.start(stand);
      await ok(stand, 'block', '--pid', String(player.pid), '--lineage', '--for', '1s');
      await player.tell('nest');
      await until('it has ended', async () => (await all(player)) === '+++');
      await until('nothing is listed', async () => (await stand.json<Decision[]>('blocks')).length === 0);
    }));

  it('--unit takes the service, and goes with it over a restart', () =>
    enforced(async (stand) => {
      const unit = stand.makeCgroup('bad.service');
      const deep = stand.makeCgroup('bad.service/worker');
      const [inside, below, outside] = [
        await Player.start(stand, { cgroup: unit }),
        await Player.start(stand, { cgroup: deep }),
        await Player.start(stand, { cgroup: stand.makeCgroup('good.service') }),
      ];
      await ok(stand, 'block', '--unit', 'bad');
      expect([await all(inside), await all(below), await all(outside)]).toEqual(['---', '---', '+++']);
      const [decision] = await stand.json<Decision[]>('blocks');
      expect(decision?.subject).toMatchObject({ kind: 'unit', id: 'bad.service' });
      for (const player of [inside, below]) await player.tell(`enter ${stand.cgroup}`);
      expect(await all(inside)).toBe('+++');
      for (const path of [deep, unit]) rmdirSync(path);
      mkdirSync(unit);
      await inside.tell(`enter ${unit}`);
      await until('the new cgroup is met', async () => (await all(inside)) === '---');
      await ok(stand, 'unblock', '--unit', 'bad.service');
      expect(await all(inside)).toBe('+++');
      mkdirSync(deep); // the stand takes it away
    }));

  it('in audit denies nothing, counts, and says so', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: burst() });
      const player = await Player.start(stand);
      const { code, stderr } = await stand.cli('block', '--pid', String(player.pid));
      expect(code).toBe(6);
      expect(stderr).toContain('audit');
      expect(await all(player)).toBe('+++');
      expect(await stand.json<Decision[]>('blocks')).toMatchObject([{ mode: 'audit', hits: 3 }]);
    }));
});

/** A block ends by itself or by the operator's hand, and its subject starts with an empty window. */
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';

const enforced = (policy: string, work: Parameters<typeof withStand>[0]) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy });
    await work(stand);
  });

const blocks = (stand: Stand) => stand.json<Decision[]>('blocks');

describe('after the end of a block', () => {
  it('exactly the limit passes again, each time', () =>
    enforced(burst({ within: '1h', time: '1s' }), async (stand) => {
      const player = await Player.start(stand);
      expect(await player.row(5)).toBe('+++++');
      for (let time = 0; time < 3; time++) {
        const crossing = await player.attempt();
        expect(crossing.passed).toBe(false);
        let next = await player.attempt();
        while (!next.passed) next = await player.attempt();
        expect(next.after - crossing.before).toBeGreaterThanOrEqual(1_000_000_000n);
        expect(await player.row(4)).toBe('++++');
      }
    }));

  it('nothing of it is left with the agent', () =>
    enforced(burst({ time: '1s' }), async (stand) => {
      const player = await Player.start(stand);
      expect(await player.row(6)).toBe('+++++-');
      await until('it is listed', async () => (await blocks(stand)).length === 1);
      await until('it has ended', async () => (await blocks(stand)).length === 0);
      expect(await player.row(6)).toBe('+++++-');
    }));
});

describe('unblock', () => {
  it.each(['id', '--pid', '--policy', '--all'])('by %s starts an empty window at once', (way) =>
    enforced(burst({ within: '1h' }), async (stand) => {
      const [player, other] = [await Player.start(stand), await Player.start(stand)];
      expect(await player.row(7)).toBe('+++++--');
      expect(await other.row(4)).toBe('++++');
      const [decision] = await blocks(stand);
      const words: Record<string, string[]> = {
        id: [decision?.id ?? ''],
        '--pid': ['--pid', String(player.pid)],
        '--policy': ['--policy', 'burst'],
        '--all': ['--all'],
      };
      for (let time = 0; time < 2; time++)
        expect((await stand.cli('unblock', ...(words[way] ?? []))).code).toBe(0);
      expect(await player.row(7)).toBe('+++++--');
      // Who was not blocked keeps what was counted.
      expect(await other.row(2)).toBe('+-');
    }),
  );
});

/** Children born while no agent lives: the kernel alone keeps them in their lineage, also when they are orphaned. */
import { expect, it } from 'vitest';
import { killAgent, oneBlock } from './life.js';
import { Player } from './player.js';
import { burst, withStand } from './stand.js';

it('forked while the agent is dead, they share the lineage: three before, two after, then none', () =>
  withStand(async (stand) => {
    const start = {
      mode: 'enforce' as const,
      policy: burst({ by: 'lineage', within: '10m' }),
      config: `launchers: [${process.execPath}]\n`,
    };
    await stand.start(start);
    const player = await Player.start(stand);
    expect(await player.row(3)).toBe('+++');
    await killAgent(stand);
    await player.tell('nest');
    expect(await player.row(1, 'child connect 127.0.0.1 1')).toBe('+');
    // A grandchild reads on, and its mother ends: another process adopts it.
    await player.tell('orphan');
    expect(await player.row(3, 'child connect 127.0.0.1 1')).toBe('+--');
    const stranger = await Player.start(stand);
    expect(await stranger.row(2)).toBe('++');
    await stand.start(start);
    expect(await player.row(1)).toBe('-');
    const { subject, hits } = await oneBlock(stand);
    expect({ kind: subject.kind, hits }).toEqual({ kind: 'lineage', hits: 3 });
  }));

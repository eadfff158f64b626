/** A pushed-down limit is exact: whatever makes the attempts, so many pass and the next is refused. */
import { describe, expect, it } from 'vitest';
import { Player } from './player.js';
import { burst, withStand } from './stand.js';

const enforced = (policy: string, work: Parameters<typeof withStand>[0]) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy });
    await work(stand);
  });

const RULE = `kerngate: 1
policy: rule
summary: Port 22 is closed.
severity: medium
on: connect
match: {dst.port: 22}
then: {block: process, for: 10m}
`;

describe('a limit', () => {
  it('admits five of 8 x 1,250 connects released together, ten times', () =>
    enforced(burst(), async (stand) => {
      for (let round = 0; round < 10; round++) {
        expect(await stand.attack('threads', 1_250, 8)).toEqual({ passed: 5, denied: 9_995, other: 0 });
      }
    }));

  // "More than five" is limit 5; a rule that fires at the fifth is limit 4.
  it.each([1, 4, 5, 16])('of %i admits so many and refuses the next', (limit) =>
    enforced(burst({ limit }), async (stand) => {
      expect(await stand.attack('loop', limit)).toEqual({ passed: limit, denied: 0, other: 0 });
      expect(await stand.attack('threads', 20, 4)).toEqual({ passed: limit, denied: 80 - limit, other: 0 });
    }),
  );

  it('of 0 refuses the first match', () =>
    enforced(burst({ limit: 0 }), async (stand) => {
      expect(await stand.attack('threads', 20, 4)).toEqual({ passed: 0, denied: 80, other: 0 });
    }));

  it('is none where there is no detector: the first match is refused, and all after it', () =>
    enforced(RULE, async (stand) => {
      const player = await Player.start(stand);
      expect(await player.row(3, 'connect 127.0.0.1 21')).toBe('+++');
      expect(await player.row(2, 'connect 127.0.0.1 22')).toBe('--');
    }));
});

describe('one window counts', () => {
  it('connects of every protocol and address family', () =>
    enforced(burst(), async (stand) => {
      const targets = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '0.0.0.0', '::'];
      for (const target of targets) {
        expect(await stand.attack('loop', 7, 1, target, 1)).toEqual({ passed: 5, denied: 2, other: 0 });
        expect(await stand.attack('udp', 7, 1, target, 1)).toEqual({ passed: 5, denied: 2, other: 0 });
      }
      const player = await Player.start(stand);
      expect(await player.row(1)).toBe('+');
      expect(await player.row(1, 'udp 127.0.0.1 1')).toBe('+');
      expect(await player.row(1, 'thread connect ::1 1')).toBe('+');
      expect(await player.row(1, 'connect ::ffff:127.0.0.1 1')).toBe('+');
      expect(await player.row(1, 'thread udp :: 1')).toBe('+');
      for (const way of ['connect', 'udp', 'thread connect', 'thread udp']) {
        for (const target of targets) expect(await player.row(1, `${way} ${target} 1`)).toBe('-');
      }
    }));

  it('unconnected datagrams under `on: send`, and connects not', () =>
    enforced(burst({ on: 'send' }), async (stand) => {
      expect(await stand.attack('send', 1_000)).toEqual({ passed: 5, denied: 995, other: 0 });
      expect(await stand.attack('send', 9, 1, '::1', 9)).toEqual({ passed: 5, denied: 4, other: 0 });
      expect(await stand.attack('send', 9, 1, '::ffff:127.0.0.1', 9)).toEqual({
        passed: 5,
        denied: 4,
        other: 0,
      });
      expect(await stand.attack('loop', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
      expect(await stand.attack('udp', 20)).toEqual({ passed: 20, denied: 0, other: 0 });
    }));

  it('both together under `on: [connect, send]`', () =>
    enforced(burst({ on: '[connect, send]' }), async (stand) => {
      const player = await Player.start(stand);
      expect(await player.row(2)).toBe('++');
      expect(await player.row(2, 'send 127.0.0.1 9')).toBe('++');
      expect(await player.row(1, 'udp ::1 9')).toBe('+');
      expect(await player.row(1, 'send ::1 9')).toBe('-');
      expect(await player.row(1)).toBe('-');
    }));
});

describe('a block', () => {
  const ALLOW = `---
kerngate: 1
policy: spare
summary: Port 53 is free.
severity: low
priority: 900
on: [connect, send]
match: {dst.port: 53}
then: {allow: true}
`;

  it('is of the process: no other port, no datagram and no allow rule opens a way', () =>
    enforced(RULE + ALLOW, async (stand) => {
      const blocked = await Player.start(stand);
      const other = await Player.start(stand);
      const ways = ['connect 127.0.0.1 21', 'thread connect ::1 53', 'send 127.0.0.1 53', 'udp ::1 9'];
      for (const way of ways) expect(await blocked.row(1, way)).toBe('+');
      expect(await blocked.row(1, 'connect 127.0.0.1 22')).toBe('-');
      for (const way of ways) {
        expect(await blocked.row(1, way)).toBe('-');
        expect(await other.row(1, way)).toBe('+');
      }
      const [{ hits } = {}] = await stand.json<{ hits: number }[]>('blocks');
      expect(hits).toBe(5);
    }));
});

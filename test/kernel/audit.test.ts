/** Audit: nothing is refused, and what enforcement would have refused is counted to the last attempt. */
import { describe, expect, it } from 'vitest';
import type { SessionRow } from '../../src/control/api.js';
import type { Decision } from '../../src/model/decision.js';
import type { Event } from '../../src/model/event.js';
import type { Finding } from '../../src/model/finding.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';

const hitsOf = async (stand: Stand, policy: string): Promise<number | undefined> =>
  (await stand.json<Decision[]>('blocks')).find((decision) => decision.policy === policy)?.hits;

/** Ten thousand attempts by one process that goes on living, so that its decision does too. */
const tenThousand = async (stand: Stand) => {
  const player = await Player.start(stand);
  expect(await player.row(10_000)).toBe('+'.repeat(10_000));
  return player;
};

describe('in audit', () => {
  it('all of ten thousand pass, and 9,995 would have been denied', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: burst() });
      const { pid } = await tenThousand(stand);
      const blocks = await stand.json<Decision[]>('blocks');
      expect(blocks).toMatchObject([{ mode: 'audit', policy: 'burst', hits: 9_995, by: 'policy' }]);
      const rows = await stand.json<SessionRow[]>('sessions');
      expect(rows.find((row) => row.pid === pid)).toMatchObject({
        connects: 10_000,
        denied: 0,
        audited: 9_995,
      });
      expect(await stand.attack('threads', 1_250, 8)).toEqual({ passed: 10_000, denied: 0, other: 0 });
    }));

  it('is one policy under an agent that enforces the others', () =>
    withStand(async (stand) => {
      const softly = burst({ name: 'softly', limit: 2, extra: 'mode: audit\n' });
      await stand.start({ mode: 'enforce', policy: `${softly}---\n${burst({ name: 'hard', limit: 6 })}` });
      const player = await Player.start(stand);
      expect(await player.row(12)).toBe('++++++------');
      // The third to the sixth would have been denied. The seventh was, by the other: it did not happen.
      expect(await hitsOf(stand, 'softly')).toBe(4);
      expect(await hitsOf(stand, 'hard')).toBe(6);
      const rows = await stand.json<SessionRow[]>('sessions');
      expect(rows.find(({ pid }) => pid === player.pid)).toMatchObject({
        connects: 6,
        denied: 6,
        audited: 4,
      });
    }));

  it('feeds every rule but the one that set the entry', () =>
    withStand(async (stand) => {
      const rules = [burst({ name: 'a', limit: 1 }), burst({ name: 'b', limit: 3 })].join('---\n');
      await stand.start({ mode: 'audit', policy: rules });
      const player = await Player.start(stand);
      expect(await player.row(10)).toBe('+'.repeat(10));
      expect(await hitsOf(stand, 'a')).toBe(9);
      expect(await hitsOf(stand, 'b')).toBe(7);
    }));

  it('counts also what does not match the rule, since a block is of the process', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: burst({ extra: 'match: {dst.port: 22}\n' }) });
      const player = await Player.start(stand);
      expect(await player.row(4, 'connect 127.0.0.1 80')).toBe('++++');
      expect(await player.row(6, 'connect 127.0.0.1 22')).toBe('++++++');
      expect(await player.row(4, 'send 127.0.0.1 80')).toBe('++++');
      expect(await hitsOf(stand, 'burst')).toBe(5);
    }));
});

it('an attempt that crosses two limits at once is one attempt, with a finding for each', () =>
  withStand(async (stand) => {
    const rules = [
      burst({ name: 'a', limit: 1 }),
      burst({ name: 'b', limit: 1, by: 'cgroup' }),
      burst({ name: 'agent', limit: 3, extra: 'when: event.uid == 0\n' }),
    ];
    await stand.start({ mode: 'audit', policy: rules.join('---\n') });
    const player = await Player.start(stand);
    expect(await player.row(3)).toBe('+++');
    const findings = async () => (await stand.json<Finding[]>('findings')).map(({ policy }) => policy).sort();
    await until('both are told', async () => (await findings()).length > 1);
    const events = await stand.json<Event[]>('events', '--kind', 'connect', '--pid', String(player.pid));
    expect(events.map(({ verdict }) => verdict).sort()).toEqual(['audit', 'audit', 'none']);
    // The agent's own rule has seen three, which is its limit.
    expect(await findings()).toEqual(['a', 'b']);
    expect(await player.row(1)).toBe('+');
    await until('the fourth crosses', async () => (await findings()).includes('agent'));
  }));

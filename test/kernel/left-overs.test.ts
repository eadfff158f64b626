/** What a killed agent left, and what two of them must not do to each other. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KG_SUBJECT_KIND, KG_VERDICT_KIND } from '../../src/abi/generated.js';
import { canaryId } from '../../src/kernel/entries.js';
import { closeMaps, type Maps, pinnedMaps } from '../../src/kernel/maps.js';
import { native } from '../../src/kernel/native.js';
import { startTickOf } from '../../src/lib/proc.js';
import type { Decision } from '../../src/model/decision.js';
import { burst, type Stand, withStand } from './stand.js';

const QUIET = burst({ name: 'quiet', limit: 16, within: '100ms', extra: 'match:\n  dst.port: 9\n' });
/** Above every pid_max. */
const NOBODY = 4_194_305;

const looking = <T>(stand: Stand, look: (maps: Maps) => T): T => {
  const maps = pinnedMaps(native(), stand.pin);
  try {
    return look(maps);
  } finally {
    closeMaps(maps);
  }
};

const keyOf = (pid: number) => ({
  a: BigInt(pid),
  b: BigInt(startTickOf(pid) ?? 7),
  kind: KG_SUBJECT_KIND.PROCESS,
  port: 0,
});

const setCanary = (stand: Stand, pid: number): void =>
  looking(stand, (maps) => {
    const since_ns = BigInt(native().bootNs());
    const until_ns = since_ns + 120_000_000_000n;
    const rest = { rule: 0n, hits: 0n, last_ns: 0n, verdict: KG_VERDICT_KIND.DENY, inherit: 0, reach: 1 };
    maps.verdicts.set(keyOf(pid), { since_ns, until_ns, decision: canaryId(pid), ...rest });
  });

const hasEntry = (stand: Stand, pid: number): boolean =>
  looking(stand, (maps) => maps.verdicts.get(keyOf(pid)) !== undefined);

describe('the canary', () => {
  it('is nobody’s block: a command in the middle of the proof neither shows nor removes it', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: QUIET });
      const bystander = stand.connector('hold', 0);
      await bystander.line(/^up$/);
      setCanary(stand, bystander.pid);
      expect(await stand.json<Decision[]>('blocks')).toEqual([]);
      expect((await stand.cli('allow', 'add', 'uid:54321')).code).toBe(0);
      expect(hasEntry(stand, bystander.pid)).toBe(true);
    }));

  it('of a killed agent is cleared away by the next', () =>
    withStand(async (stand) => {
      const agent = await stand.start({ mode: 'enforce', policy: QUIET });
      await agent.kill('SIGKILL');
      setCanary(stand, NOBODY);
      const folder = join(stand.cgroup, `kerngate-canary-${NOBODY}-abcdef`);
      mkdirSync(folder);
      await stand.start({ mode: 'enforce' });
      expect(hasEntry(stand, NOBODY)).toBe(false);
      expect(existsSync(folder)).toBe(false);
      expect(await stand.json<Decision[]>('blocks')).toEqual([]);
    }));
});

describe('two agents', () => {
  it('do not share a folder of pins, whatever their state folders', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: QUIET });
      const other = stand.launch({
        mode: 'audit',
        args: ['--state', join(stand.dir, 'other'), '--socket', join(stand.dir, 'other.sock')],
      });
      await expect(other.line(/^ready/)).rejects.toThrow(/another agent/);
      expect((await stand.json<{ mode: string }>('status')).mode).toBe('enforce');
    }));
});

describe('what is lifted while no agent runs', () => {
  it.each([
    ['a unit that has no cgroup then', ['--unit', 'kerngate-absent.service'], false],
    ['everything, after a reboot took the pins', ['--all'], true],
  ])('stays lifted: %s', (_, filter, isRebooted) =>
    withStand(async (stand) => {
      const agent = await stand.start({ mode: 'enforce', policy: QUIET });
      await stand.cli('block', '--unit', 'kerngate-absent.service');
      expect(await stand.json<Decision[]>('blocks')).toHaveLength(1);
      await agent.kill('SIGKILL');
      if (isRebooted) rmSync(stand.pin, { recursive: true });
      expect((await stand.cli('unblock', ...filter)).code).toBe(0);
      await stand.start({ mode: 'enforce' });
      expect(await stand.json<Decision[]>('blocks')).toEqual([]);
    }),
  );
});

/** An operator's block of a whole tree: no older entry weakens it, and the dead leave nothing behind. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeMaps, type Maps, pinnedMaps } from '../../src/kernel/maps.js';
import { native } from '../../src/kernel/native.js';
import type { Decision } from '../../src/model/decision.js';
import { compiled } from './fixtures/compile.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

const QUIET = burst({ name: 'quiet', limit: 16, within: '100ms', extra: 'match:\n  dst.port: 9\n' });
/** Told by the agent, so its verdict is an entry of the process, in audit. */
const AUDITED = `kerngate: 1
policy: audited
summary: Any connect to port 1.
severity: low
mode: audit
on: connect
match:
  dst.port: 1
when: event.uid >= 0
then:
  block: process
  for: 10m
`;

const startBrood = async (stand: Stand): Promise<Running> => {
  const parent = stand.spawn(compiled('brood'), [stand.cgroup]);
  await parent.line(/^up$/);
  return parent;
};

const brood = async (parent: Running, count: number): Promise<string> => {
  const before = parent.lines.length;
  parent.child.stdin?.write(`${count}\n`);
  return parent.line(/^brood/, before);
};

const looking = <T>(stand: Stand, look: (maps: Maps) => T): T => {
  const maps = pinnedMaps(native(), stand.pin);
  try {
    return look(maps);
  } finally {
    closeMaps(maps);
  }
};

describe('a block of a tree', () => {
  it('reaches the children of a process that is blocked by itself already', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: QUIET });
      const parent = await startBrood(stand);
      expect((await stand.cli('block', '--pid', String(parent.pid))).code).toBe(0);
      expect((await stand.cli('block', '--pid', String(parent.pid), '--lineage')).code).toBe(0);
      expect(await brood(parent, 3)).toBe('brood 0 passed 3 denied');
    }));

  it('is not weakened by an older audit entry on its head', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: AUDITED });
      const watcher = stand.connector('watch', 0);
      await watcher.line(/^passed$/);
      await until('the audit entry is there', async () =>
        (await stand.json<Decision[]>('blocks')).some(({ subject }) =>
          subject.name.includes(`${watcher.pid}`),
        ),
      );
      expect((await stand.cli('block', '--pid', String(watcher.pid), '--lineage')).code).toBe(0);
      await watcher.line(/^denied$/);
    }));

  it.each(['with the agent', 'without it'])('is lifted from a tree that forks meanwhile, %s', (how) =>
    withStand(async (stand) => {
      const agent = await stand.start({ mode: 'enforce', policy: QUIET });
      const parent = await startBrood(stand);
      await stand.cli('block', '--pid', String(parent.pid), '--lineage');
      const heirs = () =>
        looking(stand, (maps) => maps.verdicts.entries().filter(([, { inherit }]) => inherit !== 0).length);
      const members = () =>
        readFileSync(join(stand.cgroup, 'cgroup.procs'), 'utf8').trim().split('\n').length;
      parent.child.stdin?.write('-60000\n');
      await until('the generations run', () => members() > 1);
      if (how === 'without it') await agent.kill('SIGKILL');
      expect((await stand.cli('unblock', '--all')).code).toBe(0);
      expect({ heirs: heirs(), running: members() > 1 }).toEqual({ heirs: 0, running: true });
    }),
  );

  it('leaves no entry of the dead behind, and keeps their hits', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: QUIET });
      const parent = await startBrood(stand);
      await stand.cli('block', '--pid', String(parent.pid), '--lineage');
      const count = () => looking(stand, (maps) => maps.verdicts.keys().length);
      const before = count();
      expect(await brood(parent, 200)).toBe('brood 0 passed 200 denied');
      await until('the entries of the dead are gone', () => count() === before);
      const [decision] = await stand.json<Decision[]>('blocks');
      expect(decision?.hits).toBe(200);
    }));
});

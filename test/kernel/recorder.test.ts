/** A recorder and what may happen to it: the agent goes, the disk is full, events come faster than it reads. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/model/finding.js';
import { countersOf } from './acting.js';
import { ended, linesOf, record, textOf } from './recording.js';
import { burst, until, withStand } from './stand.js';

describe('a recorder', () => {
  it('leaves what is there when the agent goes away, and says so', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: burst() });
      for (const name of ['gone.jsonl', 'gone.jsonl.gz']) {
        if (stand.agent?.isOver) await stand.start({ mode: 'audit' });
        const file = join(stand.dir, name);
        const recorder = await record(stand, file);
        await stand.attack('loop', 20);
        await until('something was written', () => statSync(file).size > 400);
        await stand.agent?.kill('SIGKILL');
        expect(await ended(recorder)).toBe(4);
        expect(await stand.cli('replay', file)).toMatchObject({ code: 1 });
        const ran = await stand.cli('-o', 'json', 'replay', '--partial', file, '--policy', stand.policyFile);
        expect(ran.code).toBe(0);
        expect(linesOf<Finding>(ran.stdout)[0]).toMatchObject({ type: 'finding', policy: 'burst' });
      }
    }));

  it('ends by itself after its time, and never writes over a file', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: burst() });
      const file = join(stand.dir, 'short.jsonl');
      expect(await stand.cli('record', '--for', '100ms', file)).toMatchObject({ code: 0, stderr: '' });
      expect(linesOf(textOf(file))).toHaveLength(2);
      expect(await stand.cli('record', '--for', '100ms', file)).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('there is such a file already'),
      });
    }));

  it('says that the disk is full, and what was written can be used', () =>
    withStand(async (stand) => {
      const disk = join(stand.dir, 'disk');
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
      try {
        await stand.start({ mode: 'audit', policy: burst() });
        const file = join(disk, 'full.jsonl');
        const recorder = await record(stand, file);
        await stand.attack('loop', 2000);
        await until('the disk is full', () => statSync(file).size > 60_000);
        await stand.attack('loop', 20);
        expect(await ended(recorder)).toBe(1);
        expect(recorder.lines.join('\n')).toMatch(/cannot be written any further: .*no space/i);
        expect(await stand.cli('replay', '--partial', file)).toMatchObject({ code: 0 });
      } finally {
        execFileSync('umount', [disk]);
      }
    }));

  it('does not stall the agent, and counts what it could not take', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'audit', policy: burst() });
      const file = join(stand.dir, 'busy.jsonl');
      const recorder = await record(stand, file);
      recorder.child.kill('SIGSTOP');
      await stand.attack('threads', 15_000, 4);
      const before = (await countersOf(stand)).gate_hits ?? 0;
      expect(before).toBeGreaterThan(59_999);
      recorder.child.kill('SIGCONT');
      await stand.attack('loop', 10);
      await recorder.kill('SIGINT');
      expect([recorder.child.exitCode, recorder.lines]).toEqual([0, [expect.stringMatching(/ lost$/)]]);
      const end = linesOf<{ events: number; lost: number }>(textOf(file)).at(-1);
      // Each attempt is told of twice: that it was made, and that it was refused by the far side.
      expect(end?.lost).toBeGreaterThan(1000);
      expect((end?.events ?? 0) + (end?.lost ?? 0)).toBeGreaterThanOrEqual(120_020);
      expect(await stand.cli('replay', file)).toMatchObject({ code: 0, stderr: '' });
    }));
});

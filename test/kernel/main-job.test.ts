/** The main job: a real process misbehaves, the kernel refuses its next call. */
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import type { Finding } from '../../src/model/finding.js';
import { burst, until, withStand } from './stand.js';

describe('a pushed-down burst with limit 5', () => {
  it('lets exactly five of ten thousand connects through, until unblock', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst() });
      const attacker = stand.connector('watch', 0);
      await attacker.line(/^denied$/);
      await until('the finding is there', async () => (await stand.json<Finding[]>('findings')).length === 1);
      const [decision] = await stand.json<Decision[]>('blocks');
      expect(decision).toMatchObject({
        mode: 'enforce',
        enforced_by: 'kernel',
        policy: 'burst',
        by: 'policy',
      });
      expect(attacker.lines).toEqual(['passed', 'denied']);
      const before = attacker.lines.length;
      expect((await stand.cli('unblock', decision?.id ?? '')).code).toBe(0);
      await attacker.line(/^passed$/, before);
      await attacker.line(/^denied$/, before);
      const { passed, other } = await attacker.finish();
      expect({ passed, other }).toEqual({ passed: 10, other: 0 });
    }));

  it('counts ten thousand connects to the last one', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst() });
      expect(await stand.attack('loop', 10_000)).toEqual({ passed: 5, denied: 9_995, other: 0 });
    }));
});

/** The proof of a mode holds whatever is on the never-block list: else an entry could keep the agent down. */
import { describe, expect, it } from 'vitest';
import { countersOf } from './acting.js';
import { burst, withStand } from './stand.js';

const config = (subject: string): string => `allow: [{subject: "${subject}", reason: test}]\n`;

describe('an agent starts and proves its mode', () => {
  for (const mode of ['audit', 'enforce'] as const) {
    it(`in ${mode}, with root, Node and the scope on the list`, () =>
      withStand(async (stand) => {
        await stand.start({ mode, policy: burst(), config: config('user:0') });
        expect((await stand.cli('allow', 'add', `exe:${process.execPath}`, '--reason', 'test')).code).toBe(0);
        expect((await stand.cli('allow', 'add', `cgroup:${stand.cgroup}`, '--reason', 'test')).code).toBe(0);
        await stand.stop();
        await stand.start({ mode });
        // The canaries are attempts like any other: the counters of the hooks have them.
        const { gate_hits, denied, audited } = await countersOf(stand);
        expect([gate_hits, denied, audited].map((count) => (count ?? 0) > 0)).toEqual([
          true,
          mode === 'enforce',
          mode === 'audit',
        ]);
        expect(await stand.attack('loop', 10)).toEqual({ passed: 10, denied: 0, other: 0 });
      }));
  }
});

it('shows until when enforcement waits for its confirmation', () =>
  withStand(async (stand) => {
    await stand.start({ policy: burst() });
    await stand.cli('mode', 'enforce', '--confirm-within', '5m');
    expect((await stand.cli('status')).stdout).toMatch(
      /enforce, back to audit at 20\d\d-.*Z unless kerngate confirm/,
    );
    await stand.cli('confirm');
    expect((await stand.cli('status')).stdout).not.toMatch(/back to audit/);
  }));

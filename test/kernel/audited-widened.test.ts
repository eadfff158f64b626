/** What passes under an audit entry feeds every rule but the one that set it. */
import { expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import type { Finding } from '../../src/model/finding.js';
import { burst, until, withStand } from './stand.js';

it('does not find again what the same rule has blocked more widely', () =>
  withStand(async (stand) => {
    const wide = burst({ name: 'wide', limit: 2, block: 'cgroup' });
    const other = burst({ name: 'other', limit: 3 });
    await stand.start({ mode: 'audit', policy: `${wide}---\n${other}` });
    expect(await stand.attack('loop', 3)).toMatchObject({ passed: 3 });
    await until('the cgroup is blocked too', async () =>
      (await stand.json<Decision[]>('blocks')).some(({ subject }) => subject.kind === 'cgroup'),
    );
    expect(await stand.attack('loop', 5)).toMatchObject({ passed: 5 });
    const findings = async () => (await stand.json<Finding[]>('findings')).map(({ policy }) => policy);
    await until('the other rule has counted on', async () => (await findings()).includes('other'));
    expect((await findings()).sort()).toEqual(['other', 'wide']);
  }));

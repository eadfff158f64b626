/** What the documents promise of a running agent: its counters, and the way out that needs nothing of kerngate. */
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { burst, withStand } from './stand.js';

const operations = readFileSync(fileURLToPath(new URL('../../docs/operations.md', import.meta.url)), 'utf8');

it('status has exactly the counters of docs/operations.md', () =>
  withStand(async (stand) => {
    await stand.start();
    const { counters } = await stand.json<Status>('status');
    const table = operations.split('## Counters')[1]?.split(/^## /m)[0] ?? '';
    const documented = [...table.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name);
    expect(Object.keys(counters).sort()).toEqual(documented.sort());
  }));

it('removing the pins opens the host when no agent runs', () =>
  withStand(async (stand) => {
    const agent = await stand.start({ mode: 'enforce', policy: burst() });
    const attacker = stand.connector('watch', 0);
    await attacker.line(/^denied$/);
    await agent.kill('SIGKILL');
    const before = attacker.lines.length;
    rmSync(stand.pin, { recursive: true });
    await attacker.line(/^passed$/, before);
    expect((await attacker.finish()).other).toBe(0);
  }));

/** A block ends by itself, and its last count of hits is the true one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { burst, until, withStand } from './stand.js';

interface Line {
  readonly event: string;
  readonly why?: string;
  readonly decision?: { readonly id: string; readonly hits: number };
}

it('counts every hit of decisions that expire under a looping attacker', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ limit: 2, within: '100ms', time: '300ms' }) });
    const attacker = stand.connector('watch', 0);
    const log = (): Line[] =>
      readFileSync(join(stand.state, 'audit.jsonl'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Line);
    await until('five blocks have ended', () => log().filter(({ event }) => event === 'lifted').length >= 5);
    const { denied } = await attacker.finish();
    await until('the last one has ended', () => {
      const lines = log();
      const made = lines.filter(({ event }) => event === 'decision').length;
      return made === lines.filter(({ event }) => event === 'lifted').length;
    });
    const hits = log().flatMap(({ event, decision }) =>
      event === 'lifted' && decision ? [decision.hits] : [],
    );
    expect(hits.reduce((sum, count) => sum + count, 0)).toBe(denied);
  }));

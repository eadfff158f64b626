/** How decisions end, are counted, and are reduced to one entry per subject. */
import { describe, expect, it } from 'vitest';
import { blockInput, GROUP, MINUTE, PROC, policy, SECOND, subject, world } from './world.js';

describe('the end of a decision', () => {
  it('comes with its time, once', () => {
    const { decide, ledger, clock } = world();
    decide();
    ledger.block(blockInput(GROUP, MINUTE));
    clock.ns += MINUTE;
    expect(ledger.list()).toHaveLength(1);
    expect(ledger.get(ledger.entries()[0]?.id ?? '')).toMatchObject({ subject: PROC });
    expect(ledger.expire(clock.ns).map(({ subject: who }) => who)).toEqual([GROUP]);
    expect(ledger.expire(clock.ns)).toEqual([]);
    clock.ns += 9 * MINUTE;
    expect(ledger.expire(clock.ns)).toHaveLength(1);
    expect(ledger.stats()).toMatchObject({ live: 0, ended: 2 });
  });

  it('comes for thousands at a time', () => {
    const { decide, ledger, clock, journal } = world();
    for (let pid = 0; pid < 1500; pid++) decide({ subject: subject('process', `${pid}@1`) });
    clock.ns += 10 * MINUTE;
    expect(ledger.expire(clock.ns)).toHaveLength(1500);
    expect(journal.records().filter(({ kind }) => kind === 'end')).toHaveLength(3);
  });

  it('comes with the end of its subject', () => {
    const { decide, ledger } = world();
    decide();
    decide({ subject: GROUP });
    expect(ledger.subjectGone(PROC).map(({ subject: who }) => who)).toEqual([PROC]);
    expect(ledger.subjectGone(PROC)).toEqual([]);
    expect(ledger.list()).toHaveLength(1);
  });

  it('comes when its rule is no longer in force', () => {
    const { decide, ledger } = world();
    const other = policy('other');
    decide();
    decide({ policy: other });
    expect(ledger.retireRules(new Set([other.hash])).map((entry) => entry.policy)).toEqual(['burst']);
    expect(ledger.list()).toHaveLength(1);
  });
});

describe('hits', () => {
  it('are the kernel’s count and never go back', () => {
    const { decide, ledger, clock } = world();
    const id = decide().decision?.id ?? '';
    ledger.noteHits(id, 7, clock.ns + SECOND);
    ledger.noteHits(id, 5, clock.ns);
    ledger.noteHits('ffffffffffffffff', 1, clock.ns);
    expect(ledger.get(id)).toMatchObject({ hits: 7, last_hit: clock.wall(clock.ns + SECOND) });
  });
});

describe('the desired entry of a subject', () => {
  it('is the strongest, until the latest end of the strongest', () => {
    const { decide, ledger, clock } = world();
    decide({ mode: 'audit', policy: policy('long', { forNs: 60 * MINUTE }) });
    decide({ policy: policy('short', { forNs: MINUTE }) });
    const longer = decide({ policy: policy('middle', { forNs: 5 * MINUTE }) }).decision;
    expect(ledger.desired()).toEqual([
      {
        subject: PROC,
        verdict: 'deny',
        decision: longer?.id,
        rule: longer?.rule,
        deny: 'new',
        sinceNs: clock.ns,
        untilNs: clock.ns + 5 * MINUTE,
      },
    ]);
    clock.ns += 5 * MINUTE;
    expect(ledger.desired()).toMatchObject([{ verdict: 'audit', untilNs: clock.ns + 55 * MINUTE }]);
  });
});

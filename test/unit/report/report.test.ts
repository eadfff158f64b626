/** Lines, findings, rates and followers. */
import { describe, expect, it } from 'vitest';
import type { Event, EventView } from '../../../src/model/event.js';
import { matcher } from '../../../src/report/filter.js';
import { FindingLog } from '../../../src/report/findings.js';
import { Followers } from '../../../src/report/followers.js';
import {
  countsLine,
  denialLine,
  failureLine,
  findingLine,
  liftedLine,
  modeLine,
  subjectText,
} from '../../../src/report/lines.js';
import { Rate } from '../../../src/report/rate.js';
import { decision, finding } from './fixtures.js';

describe('lines', () => {
  it('name process, policy and the command that lifts a denial', () => {
    expect(denialLine(decision(), '/usr/bin/hydra')).toBe(
      'denied hydra (pid 4242, /usr/bin/hydra) by connect-burst: 6 connects in 10 s; lift: kerngate unblock 00000000000000ab',
    );
    expect(denialLine(decision({ mode: 'audit', by: 'operator', reason: 'test' }))).toBe(
      'would deny hydra (pid 4242) by operator: test; lift: kerngate unblock 00000000000000ab',
    );
  });

  it('say what kind of subject a bare name is', () => {
    const text = (kind: 'unit' | 'session' | 'cgroup', name: string): string =>
      subjectText({ kind, id: 'x', name });
    expect(text('unit', 'nginx.service')).toBe('unit nginx.service');
    expect(text('session', 'session 3')).toBe('session 3');
    expect(text('cgroup', '/a/b')).toBe('cgroup /a/b');
  });

  it('tell the rest in one line each', () => {
    expect(liftedLine(decision(), 'expired')).toBe(
      'lifted hydra (pid 4242) (00000000000000ab): expired, 3 hits',
    );
    expect(findingLine(finding())).toBe('finding medium connect-burst: hydra (pid 4242): 6 connects in 10 s');
    expect(modeLine('audit', 'not confirmed')).toBe('mode audit: not confirmed');
    const outcome = { subject: decision().subject, decision: 'ab', did: 'failed', error: 'E2BIG' } as const;
    expect(failureLine(outcome)).toBe('failed hydra (pid 4242) (ab): E2BIG');
    const counts = { events: 600, perSecond: 9.96, findings: 1, denied: 2, wouldDeny: 3, blocks: 4, lost: 5 };
    expect(countsLine(counts)).toBe(
      'counts 600 events (10.0/s), 1 finding, 2 denied, 3 would be denied, 4 blocks, 5 lost',
    );
  });

  it('let no control byte of a process through', () => {
    const name = 'a\u001b[31m\nroot\u0007 (pid 1)';
    const subject = { kind: 'process', id: '1@1', name } as const;
    const texts = [
      denialLine(decision({ subject, reason: 'x\u001b]0;y\u0007' }), '/tmp/\u001b[2J'),
      findingLine(finding({ subject, summary: '\r\n' })),
      liftedLine(decision({ subject }), '\u009b1m'),
      failureLine({ subject, decision: 'ab', did: 'failed', error: '\u001b[0m' }),
    ];
    for (const text of texts) expect(text).not.toMatch(/\p{Cc}/u);
  });
});

describe('findings', () => {
  it('are kept up to a bound, oldest first, and counted by policy', () => {
    const log = new FindingLog(3);
    for (let i = 0; i < 5; i++) log.add(finding({ id: String(i), policy: i % 2 ? 'odd' : 'even' }));
    expect(log.list().map(({ id }) => id)).toEqual(['2', '3', '4']);
    expect(log).toMatchObject({ evicted: 2, total: 5 });
    expect([log.countOf('even'), log.countOf('odd'), log.countOf('none')]).toEqual([3, 2, 0]);
    expect(log.byId('3')?.policy).toBe('odd');
    expect(log.byId('0')).toBeUndefined();
  });
});

describe('a rate', () => {
  it('is the mean of the last ten seconds', () => {
    const rate = new Rate(0);
    for (let second = 0; second < 60; second++) rate.add(7, second * 1e9 + 5);
    expect(rate.total).toBe(420);
    expect(rate.perSecond(60e9 - 1)).toBeCloseTo(7, 5);
  });

  it('counts from the start while that is less than ten seconds ago', () => {
    const rate = new Rate(100e9);
    rate.add(30, 101e9);
    expect(rate.perSecond(103e9)).toBe(10);
    expect(rate.perSecond(100e9)).toBe(0);
  });

  it('forgets what is older', () => {
    const rate = new Rate(0);
    rate.add(1000, 5e9);
    expect(rate.perSecond(14.5e9)).toBeGreaterThan(100);
    expect(rate.perSecond(15e9)).toBe(0);
    rate.add(9, 1000e9);
    expect(rate.perSecond(1000e9)).toBe(1);
  });
});

/** As much of a view as filters look at. */
const view = (over: Partial<EventView> = {}): EventView & { taken: number } => {
  const fields = { kind: 'connect', pid: 5, rule: undefined, taken: 0, ...over } as EventView & {
    taken: number;
  };
  fields.snapshot = () => {
    fields.taken++;
    return { pid: fields.pid } as Event;
  };
  return fields;
};

describe('filters', () => {
  const policyOf = (rule: string): string | undefined => (rule === 'aa' ? 'connect-burst' : undefined);
  const matches = (filter: Parameters<typeof matcher>[0], over: Partial<EventView>): boolean =>
    matcher(filter, policyOf)(view(over));

  it('must hold all together', () => {
    expect(matches({}, {})).toBe(true);
    expect(matches({ kind: 'connect', pid: 5 }, {})).toBe(true);
    expect(matches({ kind: 'connect', pid: 6 }, {})).toBe(false);
    expect(matches({ kind: 'exec' }, {})).toBe(false);
    expect(matches({ policy: 'connect-burst' }, { rule: 'aa' })).toBe(true);
    expect(matches({ policy: 'connect-burst' }, { rule: 'bb' })).toBe(false);
    expect(matches({ policy: 'connect-burst' }, {})).toBe(false);
  });
});

describe('followers', () => {
  it('get one event between them, and only when somebody wants it', () => {
    const followers = new Followers();
    const got: Event[] = [];
    const stop = followers.follow(
      ({ pid }) => pid === 5,
      (event) => got.push(event),
    );
    followers.follow(
      () => true,
      (event) => got.push(event),
    );
    const event = view();
    followers.publish(event);
    expect(event.taken).toBe(1);
    expect(got[0]).toBe(got[1]);
    stop();
    stop();
    followers.publish(view());
    expect(got).toHaveLength(3);
    expect(followers.size).toBe(1);
  });

  it('cost nothing when nobody matches', () => {
    const followers = new Followers();
    followers.follow(
      () => false,
      () => {},
    );
    const event = view();
    followers.publish(event);
    expect(event.taken).toBe(0);
  });

  it('that fail are dropped alone', () => {
    const followers = new Followers();
    const got: Event[] = [];
    followers.follow(
      () => true,
      () => {
        throw new Error('broken pipe');
      },
    );
    followers.follow(
      () => true,
      (event) => got.push(event),
    );
    followers.publish(view());
    followers.publish(view());
    expect(got).toHaveLength(2);
    expect(followers).toMatchObject({ size: 1, dropped: 1 });
  });

  it('are limited in number', () => {
    const followers = new Followers(1);
    const follow = (): (() => void) =>
      followers.follow(
        () => true,
        () => {},
      );
    const stop = follow();
    expect(follow).toThrow('already follow');
    stop();
    expect(follow).not.toThrow();
  });
});

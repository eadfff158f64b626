/** What attempts amount to: denied only when the same attempt arrived unblocked. */
import { describe, expect, it } from 'vitest';
import { errnoText, judge } from '../../../src/selftest/judge.js';
import type { Trial } from '../../../src/selftest/prober.js';

const WAY = { way: 'est-send', family: 'established', needs: '', meaning: 'send' };
const arrived: Trial = { reached: true, ended: 0, ms: 1 };
const refused: Trial = { reached: false, ended: 1, ms: 0 };
const OPEN = [{ way: 'est-send', reason: 'it was open before' }];

describe('a way is', () => {
  it('denied when it arrives unblocked only', () => {
    expect(judge(WAY, [], arrived, refused)).toEqual({
      ...WAY,
      result: 'denied',
      errno: 'EPERM',
      promised: true,
    });
  });

  it('escaped when it arrives, whatever the call answered', () => {
    const lied = { ...refused, reached: true };
    expect(judge(WAY, [], arrived, lied)).toMatchObject({
      result: 'escaped',
      errno: 'EPERM',
      promised: true,
    });
  });

  it('denied when the call succeeds and nothing arrives', () => {
    const dropped = judge(WAY, [], arrived, { reached: false, ended: 0, ms: 0 });
    expect(dropped).toEqual({ ...WAY, result: 'denied', promised: true });
  });

  it('escaped by design with the reason, and not promised', () => {
    const reason = 'open by design: it was open before';
    expect(judge(WAY, OPEN, arrived, arrived)).toEqual({
      ...WAY,
      result: 'escaped',
      promised: false,
      reason,
    });
    expect(judge(WAY, OPEN, arrived, refused)).toMatchObject({ result: 'denied', promised: false });
  });

  it('not on this kernel when it does not arrive unblocked, even if a block was in force later', () => {
    const needy = { ...WAY, needs: 'SCTP' };
    const none = judge(needy, [], { reached: false, ended: 93, ms: 0 }, undefined);
    expect(none).toMatchObject({ result: 'not on this kernel' });
    expect(none.reason).toMatch(/EPROTONOSUPPORT.*needs SCTP/);
    const unprepared = judge(needy, [], { reached: false, ended: 2, cannot: 2, ms: 0 }, refused);
    expect(unprepared.result).toBe('not on this kernel');
    expect(unprepared.reason).toMatch(/prepared \(ENOENT\)/);
  });
});

it('numbers become names', () => {
  expect([0, 1, -11, 9999].map(errnoText)).toEqual([
    undefined,
    'EPERM',
    'signal 11',
    'Unknown system error -9999',
  ]);
});

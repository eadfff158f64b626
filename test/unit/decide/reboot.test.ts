/** What is left of the ledger after a reboot. */
import { describe, expect, it } from 'vitest';
import type { SubjectKind } from '../../../src/model/subject.js';
import { SUBJECT_KINDS } from '../../../src/model/subject.js';
import { blockInput, HandClock, HOUR, MINUTE, policy, SECOND, subject, type World, world } from './world.js';

const OUTLIVE: readonly SubjectKind[] = ['unit', 'container', 'user', 'exe', 'source', 'destination'];
const id = (kind: SubjectKind): string =>
  kind === 'source' ? '192.0.2.1' : kind === 'destination' ? '192.0.2.1:22' : 'x1';

/** The host is down for `downNs` of wall time; the new boot's clock stands at 30 s. */
const reboot = (w: World, downNs: number): World => {
  const wallMs = Date.parse(w.clock.wall(w.clock.ns)) + downNs / 1e6;
  const clock = new HandClock(30 * SECOND, wallMs - 30_000);
  return world({ clock, boot: 'boot-2', text: w.journal.text });
};

describe('after a reboot', () => {
  it('only subjects that still mean the same stay blocked, for the rest of the wall time', () => {
    const w = world();
    for (const kind of SUBJECT_KINDS) w.ledger.block(blockInput(subject(kind, id(kind))));
    w.clock.ns += SECOND;
    const next = reboot(w, 4 * MINUTE);
    expect(next.ledger.list().map(({ subject: who }) => who.kind)).toEqual(OUTLIVE);
    for (const entry of next.ledger.entries()) {
      expect(entry.untilNs).toBe(next.clock.ns + 6 * MINUTE - SECOND);
      expect(entry.sinceNs).toBe(0);
    }
  });

  it('what ended while the host was down has ended, and still escalates', () => {
    const w = world();
    const change = {
      policy: policy('p', { escalate: { factor: 2, maxNs: HOUR } }),
      subject: subject('user', '9'),
    };
    w.decide(change);
    const next = reboot(w, 20 * MINUTE);
    expect(next.ledger.list()).toEqual([]);
    const again = next.decide(change).decision;
    expect(again && again.untilNs - again.sinceNs).toBe(20 * MINUTE);
    expect(reboot(w, 26 * HOUR).decide(change).decision?.untilNs).toBe(30 * SECOND + 10 * MINUTE);
  });

  it('a clock set back does not stretch a block', () => {
    const w = world();
    w.ledger.block(blockInput(subject('unit', 'x.service')));
    const next = reboot(w, -1000 * HOUR);
    expect(next.ledger.entries()).toMatchObject([{ untilNs: next.clock.ns + 10 * MINUTE }]);
  });

  it('the agent enforces what the kernel’s window had', () => {
    const w = world();
    w.decide({ inKernel: true, kernelDecision: 'aaaaaaaaaaaaaaaa', subject: subject('exe', '/bin/x') });
    const next = reboot(w, MINUTE);
    expect(next.ledger.entries()).toMatchObject([{ pushed: false, enforced_by: 'agent' }]);
    expect(next.ledger.desired()).toMatchObject([{ verdict: 'deny', subject: { kind: 'exe' } }]);
  });

  it('the allow list keeps what still means the same', () => {
    const w = world();
    w.allow.add({ subject: subject('process', '1@1'), reason: 'a' });
    w.allow.add({ subject: subject('user', '5'), reason: 'b', forNs: HOUR });
    w.allow.add({ subject: subject('exe', '/bin/y'), reason: 'c' });
    const next = reboot(w, MINUTE);
    expect(next.allow.list().map(({ reason }) => reason)).toEqual(['b', 'c']);
    expect(next.allow.held()[0]?.untilNs).toBe(next.clock.ns + 59 * MINUTE);
  });

  it('what was lifted before does not shadow what begins now', () => {
    const w = world();
    w.ledger.setMode('audit', w.clock.ns);
    w.ledger.unblock({ all: true });
    w.ledger.unblock({ subjects: [subject('user', '9')] });
    const next = reboot(w, MINUTE);
    expect(next.decide({ subject: subject('user', '9') })).toMatchObject({
      created: true,
      decision: { mode: 'enforce' },
    });
  });

  it('panic holds on, until enforce is asked for', () => {
    const w = world();
    w.ledger.panic();
    expect(reboot(w, MINUTE).ledger.panicked).toBe(true);
  });

  it('a second replay in the same boot changes nothing more', () => {
    const w = world();
    w.ledger.block(blockInput(subject('unit', 'x.service')));
    const next = reboot(w, MINUTE);
    const again = world({ clock: next.clock, boot: 'boot-2', text: next.journal.text });
    expect(again.ledger.entries()).toEqual(next.ledger.entries());
    expect(again.journal.text).toBe(next.journal.text);
  });
});

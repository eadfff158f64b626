/** Reduces all decisions to what the kernel should hold: at most one entry per subject. */
import { ZERO_ID } from '../lib/hex-id.js';
import type { DenyScope, LedgerEntry } from '../model/decision.js';
import type { DesiredEntry } from '../model/desired.js';
import { subjectKey } from '../model/subject.js';
import type { Guardrails } from './guardrails.js';
import type { HeldAllow, LedgerState } from './state.js';

/** Allow entries first, then the others in order of their making. Ended decisions are left out. */
export const desiredEntries = (state: LedgerState, guardrails: Guardrails, nowNs: number): DesiredEntry[] => {
  const wanted = new Map<string, DesiredEntry>();
  for (const held of guardrails.protected()) {
    const key = subjectKey(held.entry.subject);
    const before = wanted.get(key);
    if (before === undefined || before.untilNs < held.untilNs) wanted.set(key, allowed(held));
  }
  for (const key of state.live.subjects()) {
    const entry = wanted.has(key) ? undefined : strongest(state, key, nowNs);
    if (entry) wanted.set(key, entry);
  }
  return [...wanted.values()];
};

const allowed = ({ entry, untilNs }: HeldAllow): DesiredEntry => ({
  subject: entry.subject,
  verdict: 'allow',
  decision: ZERO_ID,
  rule: ZERO_ID,
  deny: 'new',
  sinceNs: 0,
  untilNs,
});

/** A pushed decision is no part of it: its window already says all the kernel needs. */
const strongest = (state: LedgerState, key: string, nowNs: number): DesiredEntry | undefined => {
  let best: LedgerEntry | undefined;
  for (const { entry } of state.live.of(key)) {
    if (entry.pushed || entry.untilNs <= nowNs) continue;
    if (best === undefined || isStronger(entry, best)) best = entry;
  }
  return best && asDesired(best);
};

const REACH: Readonly<Record<DenyScope, number>> = { new: 0, all: 1, isolate: 2 };

/** Enforced before audited, then the one that reaches farther, then the one that lasts longer. */
const isStronger = (a: LedgerEntry, b: LedgerEntry): boolean => {
  if (a.mode !== b.mode) return a.mode === 'enforce';
  const [one, other] = [REACH[denyOf(a)], REACH[denyOf(b)]];
  return one === other ? a.untilNs > b.untilNs : one > other;
};

/** Whose sockets are ended must not go on with those that could not be. */
const denyOf = ({ deny, sever }: LedgerEntry): DenyScope => (sever && deny === 'new' ? 'all' : deny);

const asDesired = (entry: LedgerEntry): DesiredEntry => ({
  subject: entry.subject,
  verdict: entry.mode === 'enforce' ? 'deny' : 'audit',
  decision: entry.id,
  rule: entry.rule,
  deny: denyOf(entry),
  sinceNs: entry.sinceNs,
  untilNs: entry.untilNs,
});

/** Turns a finding into a decision, or into the reason why there is none. */
import type { LedgerEntry } from '../model/decision.js';
import { type Subject, subjectKey } from '../model/subject.js';
import type { Trip } from './breaker.js';
import { type Core, type Making, policyEntry } from './core.js';
import { escalatedNs } from './escalation.js';
import type { RecordBody } from './record.js';

export interface DecideInput extends Making {
  /** Whom the policy blocks. */
  readonly subject: Subject;
  /** Whom its window counted: the kernel's own verdict hits this one. */
  readonly counted: Subject;
  /** True when the kernel has refused the crossing attempt already. */
  readonly inKernel: boolean;
  /** Id the kernel gave its verdict; 16 hexadecimal digits. */
  readonly kernelDecision?: string;
  /** Some of the finding's evidence could have been forged. */
  readonly untrusted: boolean;
}

export interface Ruling {
  /** The decision in force: new, or the one that already stood. */
  readonly decision?: LedgerEntry;
  readonly created: boolean;
  /** Why there is none, or none of the breadth the policy asks for; belongs into the finding's report. */
  readonly refused?: string;
  /** The agent's decision beside the kernel's: on a wider subject, or for an escalated time. */
  readonly widened?: LedgerEntry;
  /** A decision of the kernel that must not stand: take it out of its window. */
  readonly release?: string;
  /** This block was one too many. */
  readonly trip?: Trip;
}

const LIFTED = 'the operator lifted this block after the event';

/** See `Ruling`. The event's time counts, never the present one. */
export const ruleOn = (core: Core, input: DecideInput): Ruling => {
  const ruling = rule(core, input);
  const { decision, created, widened } = ruling;
  // What a policy under trial would block is not on its way to harm anybody.
  if (!created || !decision || input.policy.mode === 'audit') return ruling;
  const trip = core.breaker.note(core.book.state.live, decision, widened);
  return trip === undefined ? ruling : { ...ruling, trip };
};

const rule = (core: Core, input: DecideInput): Ruling => {
  if (input.policy.then.block === undefined) return { created: false };
  const mode = effectiveMode(core, input);
  const made = { ...input, mode };
  if (input.untrusted) return refusal(core, made, 'the event is untrusted: its address could be forged');
  if (input.inKernel && input.kernelDecision !== undefined) return copy(core, made, input.kernelDecision);
  return own(core, made, input.subject);
};

/** A late event must not bring back a deny that `panic` or `mode audit` has just taken away. */
const effectiveMode = ({ book: { state } }: Core, { mode, atNs }: DecideInput) =>
  state.panicked || atNs <= state.demotedNs ? 'audit' : mode;

const refusal = (core: Core, input: DecideInput, refused: string): Ruling => {
  core.counts.refused++;
  const release = input.inKernel ? input.kernelDecision : undefined;
  return release === undefined ? { created: false, refused } : { created: false, refused, release };
};

/** A decision of the agent's own. */
const own = (core: Core, input: DecideInput, subject: Subject, isBeside = false): Ruling => {
  const { policy, atNs } = input;
  const key = subjectKey(subject);
  const stop = core.guardrails.check(subject)?.reason ?? lifted(core, policy.name, key, atNs);
  if (stop !== undefined) return isBeside ? { created: false, refused: stop } : refusal(core, input, stop);
  const standing = standingOn(core, input, key).find((entry) => !(isBeside && entry.pushed));
  if (standing) return { decision: standing, created: false };
  if (isFull(core, atNs)) return { created: false, refused: full(core) };
  const strike = core.book.state.strikes.of(key, policy.name, atNs);
  const entry = policyEntry(core, input, subject, escalatedNs(policy.then, strike));
  return put(core, entry, strike);
};

/** A decision the kernel has made: the window is the fact, this its copy. */
const copy = (core: Core, input: DecideInput, id: string): Ruling => {
  const { policy, counted, atNs } = input;
  const { state } = core.book;
  const key = subjectKey(counted);
  const stop = core.guardrails.check(counted)?.reason ?? lifted(core, policy.name, key, atNs, id);
  if (stop !== undefined) return refusal(core, input, stop);
  const known = state.live.get(id)?.entry;
  if (known) return { decision: known, created: false, ...beside(core, input) };
  // One window holds one verdict: an older copy of it has ended, and the agent missed the end.
  const old = standingOn(core, input, key).filter((entry) => entry.pushed && entry.rule === input.rule);
  if (old.length > 0) core.book.commit({ kind: 'end', ids: old.map((entry) => entry.id), why: 'replaced' });
  if (isFull(core, atNs)) return { created: false, refused: full(core) };
  const strike = state.strikes.of(key, policy.name, atNs);
  const entry: LedgerEntry = {
    ...policyEntry(core, input, counted, policy.then.forNs),
    id,
    enforced_by: 'kernel',
    level: input.level,
    pushed: true,
  };
  return { ...put(core, entry, strike), ...beside(core, input) };
};

/**
 * The kernel blocks what it counted, for the plain time. More than that is the agent's to add, and so is a deny
 * of open sockets: the hooks on packets ask the agent's entries only.
 */
const beside = (core: Core, input: DecideInput): Pick<Ruling, 'widened' | 'refused'> => {
  const { policy, subject, counted, atNs } = input;
  const key = subjectKey(subject);
  const strike = core.book.state.strikes.of(key, policy.name, atNs);
  const isLonger = escalatedNs(policy.then, strike) > policy.then.forNs;
  const isWider = key !== subjectKey(counted) || policy.then.deny !== 'new' || policy.then.sever;
  if (!isWider && !isLonger) return {};
  const { decision, refused } = own(core, input, subject, true);
  if (refused !== undefined) core.counts.refused++;
  return { ...(decision && { widened: decision }), ...(refused !== undefined && { refused }) };
};

/** Live decisions of the policy on the subject; those whose time is over are ended on the way. */
const standingOn = ({ book }: Core, { policy, atNs }: DecideInput, key: string): LedgerEntry[] => {
  const held = book.state.live.of(key).map(({ entry }) => entry);
  const own = held.filter((entry) => entry.by === 'policy' && entry.policy === policy.name);
  const over = own.filter((entry) => entry.untilNs <= atNs).map((entry) => entry.id);
  if (over.length > 0) book.commit({ kind: 'end', ids: over, why: 'expired' });
  return own.filter((entry) => entry.untilNs > atNs);
};

const lifted = (core: Core, policy: string, key: string, sinceNs: number, id?: string): string | undefined =>
  core.book.state.tombstones.covers({ id, key, policy, sinceNs }) ? LIFTED : undefined;

const put = (core: Core, entry: LedgerEntry, strike: number): Ruling => {
  const body: RecordBody = { kind: 'block', entry, strike };
  core.book.commit(body);
  return { decision: core.book.state.live.get(entry.id)?.entry ?? entry, created: true };
};

/** True when there is no room for a policy's decision even after the ended ones have gone. */
export const isFull = (core: Core, atNs: number): boolean => {
  const { live } = core.book.state;
  if (live.size < core.limits.live) return false;
  const over = live.ended(atNs);
  if (over.length > 0) core.book.commit({ kind: 'end', ids: over, why: 'expired' });
  return live.size >= core.limits.live;
};

const full = (core: Core): string => {
  core.counts.overflow++;
  return `the ledger is full (${core.limits.live} decisions in force)`;
};

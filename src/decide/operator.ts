/** What the operator orders: block, and unblock by any of its filters. */
import type { DenyScope, LedgerEntry } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { type Subject, subjectKey } from '../model/subject.js';
import { type BlockInput, type Core, operatorEntry } from './core.js';
import type { Lift } from './record.js';
import { isFull } from './rule-on.js';

const SCOPES: readonly DenyScope[] = ['new', 'all', 'isolate'];
const widest = (a: DenyScope, b: DenyScope): DenyScope => (SCOPES.indexOf(a) > SCOPES.indexOf(b) ? a : b);

/** Throws KerngateError (failed) when a guardrail spares the subject or the ledger has no room left. */
export const block = (core: Core, input: BlockInput): { decision: LedgerEntry; created: boolean } => {
  const { state, clock } = core.book;
  const refusal = core.guardrails.check(input.subject);
  if (refusal) {
    throw new KerngateError(`will not block ${input.subject.kind} ${refusal.reason}`, {
      remedy:
        refusal.entry.by === 'operator'
          ? 'Take it off the list first: kerngate allow rm; see kerngate allow list'
          : 'What keeps the host and its operator alive is never blocked: see kerngate allow list',
    });
  }
  const made = operatorEntry(core, state.panicked ? { ...input, mode: 'audit' } : input);
  const standing = state.live
    .of(subjectKey(input.subject))
    .find(({ entry }) => entry.by === 'operator' && entry.untilNs > clock.bootNs());
  if (!standing) checkRoom(core);
  const entry = standing ? extended(standing.entry, made) : made;
  core.book.commit({ kind: 'block', entry, strike: 0 });
  return { decision: state.live.get(entry.id)?.entry ?? entry, created: standing === undefined };
};

/** The later end, the stronger mode, the wider scope, the newer reason; the id stays. */
const extended = (old: LedgerEntry, made: LedgerEntry): LedgerEntry => {
  const later = made.untilNs > old.untilNs ? made : old;
  const isPromoted = old.mode === 'audit' && made.mode === 'enforce';
  const { spared: _, ...rest } = old;
  return {
    ...rest,
    mode: isPromoted ? 'enforce' : old.mode,
    // What began before `mode audit` counts as audit in the kernel; the new order begins now.
    sinceNs: isPromoted ? made.sinceNs : old.sinceNs,
    untilNs: later.untilNs,
    until: later.until,
    deny: widest(old.deny, made.deny),
    reason: made.reason,
    ...(made.spared && { spared: made.spared }),
    ...(made.sever && { sever: true }),
    ...(made.freeze && { freeze: true }),
  };
};

const checkRoom = (core: Core): void => {
  const { live } = core.book.state;
  const isCrowded = isFull(core, core.book.clock.bootNs());
  if (!isCrowded || live.size < core.limits.live + core.limits.operator) return;
  core.counts.overflow++;
  throw new KerngateError(`the ledger is full (${live.size} decisions in force)`, {
    remedy: 'Lift some of them: kerngate unblock (ID | --policy P | --all)',
  });
};

export interface LiftFilter {
  readonly id?: string;
  /** Any of them; for a pid its process and its lineage. */
  readonly subjects?: readonly Subject[];
  readonly policy?: string;
  readonly all?: boolean;
}

/** True when the first subject is inside the second, a group. */
export type MemberOf = (subject: Subject, group: Subject) => boolean;

const RELEASING: ReadonlySet<string> = new Set(['lineage', 'session', 'cgroup', 'unit', 'container']);

/** Idempotent. Throws KerngateError (notFound) for an id that never was. Answers what was lifted. */
export const unblock = (core: Core, filter: LiftFilter, memberOf: MemberOf): LedgerEntry[] => {
  const lift = toLift(core, filter, memberOf);
  if (lift === undefined) return [];
  const lifted = core.book.state.liftable(lift).map(({ entry }) => entry);
  core.book.commit({ kind: 'unblock', ...lift });
  return lifted;
};

const toLift = (core: Core, filter: LiftFilter, memberOf: MemberOf): Lift | undefined => {
  if (filter.all) return { all: true };
  if (filter.policy !== undefined) return { policies: [filter.policy] };
  if (filter.subjects !== undefined) {
    // A window the agent has not heard of yet is covered too: its subject is in the tombstone.
    return { subjects: filter.subjects.map(subjectKey), ids: members(core, filter.subjects, memberOf) };
  }
  if (filter.id !== undefined) return liftOfId(core, filter.id, memberOf);
  throw new KerngateError('nothing names what to unblock', {
    exit: 'usage',
    remedy: 'Give an id, a subject, --policy or --all.',
  });
};

const liftOfId = (core: Core, id: string, memberOf: MemberOf): Lift | undefined => {
  const { state } = core.book;
  const target = state.live.get(id)?.entry;
  if (target === undefined) {
    // An ended block escalates no more once the operator has taken its side.
    if (state.ended.has(id)) return { ids: [id] };
    throw new KerngateError(`there is no decision ${id}`, {
      exit: 'notFound',
      remedy: 'List those in force with: kerngate blocks',
    });
  }
  const siblings = state.live
    .of(subjectKey(target.subject))
    .map(({ entry }) => entry)
    .filter((entry) => entry.policy === target.policy && entry.by === target.by);
  const ids = [...siblings.map((entry) => entry.id), ...members(core, [target.subject], memberOf)];
  return { ids: [...new Set(ids)] };
};

/** Live decisions on anything inside one of the groups. */
const members = (core: Core, subjects: readonly Subject[], memberOf: MemberOf): string[] => {
  const groups = subjects.filter(({ kind }) => RELEASING.has(kind));
  if (groups.length === 0) return [];
  const isMember = (subject: Subject): boolean => groups.some((group) => memberOf(subject, group));
  return [...core.book.state.live.values()]
    .filter(({ entry }) => isMember(entry.subject))
    .map(({ entry }) => entry.id);
};

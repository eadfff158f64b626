/** What the parts of the ledger share: state, guardrails, room, and the making of entries. */
import { hexId, ZERO_ID } from '../lib/hex-id.js';
import type { DenyScope, LedgerEntry, Level, Mode } from '../model/decision.js';
import type { Finding } from '../model/finding.js';
import type { Policy } from '../model/policy.js';
import { type Subject, subjectKey } from '../model/subject.js';
import type { Book } from './book.js';
import type { Breaker } from './breaker.js';
import type { Guardrails } from './guardrails.js';

export interface Limits {
  /** Live decisions of policies; more are refused and counted. */
  readonly live: number;
  /** Room beyond it that only the operator's own blocks may use. */
  readonly operator: number;
}

export interface Core {
  readonly book: Book;
  readonly guardrails: Guardrails;
  readonly limits: Limits;
  readonly breaker: Breaker;
  readonly counts: { overflow: number; refused: number };
}

/** What a finding means for one subject. */
export interface Making {
  readonly finding: Finding;
  readonly policy: Policy;
  readonly mode: Mode;
  readonly atNs: number;
  readonly rule: string;
  readonly level: Level;
}

/** A fresh id for what began at `atNs`; deterministic, so a replay derives the same. */
export const freshId = ({ book: { state } }: Core, who: string, key: string, atNs: number): string => {
  for (let salt = 0; ; salt++) {
    const id = hexId('decision', who, key, atNs, salt);
    if (!state.live.get(id) && !state.ended.has(id) && !state.tombstones.ids.has(id)) return id;
  }
};

/** Remote addresses are the packet filter's; everything else is decided in the hooks. */
const enforcement = (subject: Subject, level: Level) =>
  subject.kind === 'source'
    ? ({ enforced_by: 'nftables', level: 'nftables' } as const)
    : ({ enforced_by: 'agent', level } as const);

const withSpared = (core: Core, entry: LedgerEntry): LedgerEntry => {
  const spared = core.guardrails.spared(entry.subject);
  return spared.length > 0 ? { ...entry, spared } : entry;
};

/** A policy's decision that the agent enforces, from `atNs` for `forNs`. */
export const policyEntry = (core: Core, making: Making, subject: Subject, forNs: number): LedgerEntry => {
  const { finding, policy, atNs } = making;
  const { clock } = core.book;
  return withSpared(core, {
    id: freshId(core, policy.name, subjectKey(subject), atNs),
    at: clock.wall(atNs),
    subject,
    action: 'deny',
    mode: making.mode,
    ...enforcement(subject, making.level),
    policy: policy.name,
    finding: finding.id,
    reason: finding.summary,
    by: 'policy',
    until: clock.wall(atNs + forNs),
    hits: 0,
    deny: policy.then.deny,
    ...(policy.then.sever && { sever: true }),
    sinceNs: atNs,
    untilNs: atNs + forNs,
    rule: making.rule,
    pushed: false,
  });
};

export const OPERATOR = 'operator';

export interface BlockInput {
  readonly subject: Subject;
  readonly forNs: number;
  readonly reason: string;
  readonly deny: DenyScope;
  readonly sever?: boolean;
  readonly freeze?: boolean;
  /** The agent's. */
  readonly mode: Mode;
  readonly level: Level;
}

/** The operator's decision, from now on. */
export const operatorEntry = (core: Core, input: BlockInput): LedgerEntry => {
  const { clock } = core.book;
  const nowNs = clock.bootNs();
  const untilNs = nowNs + input.forNs;
  return withSpared(core, {
    id: freshId(core, OPERATOR, subjectKey(input.subject), nowNs),
    at: clock.wall(nowNs),
    subject: input.subject,
    action: 'deny',
    mode: input.mode,
    ...enforcement(input.subject, input.level),
    policy: OPERATOR,
    reason: input.reason,
    by: 'operator',
    until: clock.wall(untilNs),
    hits: 0,
    deny: input.deny,
    ...(input.sever && { sever: true }),
    ...(input.freeze && { freeze: true }),
    sinceNs: nowNs,
    untilNs,
    rule: ZERO_ID,
    pushed: false,
  });
};

/** The end of a replay: findings with their evidence and decisions with their hits, in the order they came. */
import type { Ruling } from '../decide/rule-on.js';
import { Heap } from '../lib/heap.js';
import type { Decision, LedgerEntry } from '../model/decision.js';
import type { Event } from '../model/event.js';
import type { Finding } from '../model/finding.js';
import type { Report } from '../pipeline.js';
import { canonicalTime } from './clock.js';
import type { ReplayEvent } from './event.js';
import type { Gate, Held } from './gate.js';
import type { History, Sought } from './history.js';

/** A decision as it was when it ended, or when the capture did. */
export interface DecisionLine extends Decision {
  readonly type: 'decision';
  /** Why it ended; absent: it was in force when the capture ended. */
  readonly ended?: string;
}

export interface FindingLine extends Finding {
  readonly type: 'finding';
  /** Why nobody was blocked although the policy blocks. */
  readonly refused?: string;
}

export type Line = FindingLine | DecisionLine;

/** What a policy led to. */
export interface PolicyCounts {
  findings: number;
  decisions: number;
  hits: number;
}

export class ReplayReport implements Report<ReplayEvent> {
  readonly byPolicy = new Map<string, PolicyCounts>();
  readonly counts = { findings: 0, decisions: 0, refused: 0, expired: 0, gone: 0 };
  /** When the next decision ends: ids by the end of their time. */
  readonly ends = new Heap<string>();
  readonly #gate: Gate;
  readonly #history: History;
  #lines: Line[] = [];

  constructor(gate: Gate, history: History, policies: readonly string[]) {
    this.#gate = gate;
    this.#history = history;
    for (const name of policies) this.byPolicy.set(name, { findings: 0, decisions: 0, hits: 0 });
  }

  event(event: ReplayEvent): void {
    this.#history.push(event);
  }

  finding(finding: Finding, { refused }: Ruling): void {
    this.counts.findings++;
    if (refused !== undefined) this.counts.refused++;
    this.#of(finding.policy).findings++;
    const line = { type: 'finding', ...finding } as const;
    // The same evidence list: it is completed when the batch is over.
    this.#lines.push(refused === undefined ? line : { ...line, refused });
  }

  decision(entry: LedgerEntry): void {
    this.counts.decisions++;
    this.#of(entry.policy).decisions++;
    this.#gate.hold(entry);
    this.ends.push(entry.untilNs, entry.id);
  }

  ended(entries: readonly LedgerEntry[], why: string): void {
    for (const { id } of entries) {
      const held = this.#gate.release(id);
      if (held === undefined) continue;
      if (why === 'expired') this.counts.expired++;
      else this.counts.gone++;
      this.#end(held, why);
    }
  }

  outcomes(): void {}

  evidence(sought: Sought): Event[] {
    return this.#history.evidence(sought);
  }

  /** The capture is over: what is still in force is told as it stands. */
  close(inForce: readonly LedgerEntry[]): void {
    for (const { id } of inForce) {
      const held = this.#gate.release(id);
      if (held) this.#end(held);
    }
  }

  /** Takes what has been told since the last call. */
  take(): Line[] {
    if (this.#lines.length === 0) return NO_LINES;
    const lines = this.#lines;
    this.#lines = [];
    return lines;
  }

  #end({ entry, hits, lastHit }: Held, ended?: string): void {
    const { sinceNs: _, untilNs: __, rule: ___, pushed: ____, last_hit: _____, ...shown } = entry;
    this.#of(entry.policy).hits += hits;
    this.#lines.push({
      type: 'decision',
      ...shown,
      hits,
      ...(lastHit === undefined ? {} : { last_hit: canonicalTime(lastHit) }),
      ...(ended === undefined ? {} : { ended }),
    });
  }

  #of(policy: string): PolicyCounts {
    const counts = this.byPolicy.get(policy) ?? { findings: 0, decisions: 0, hits: 0 };
    this.byPolicy.set(policy, counts);
    return counts;
  }
}

const NO_LINES: Line[] = [];

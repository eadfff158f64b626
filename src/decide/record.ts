/** The records of the journal: every change of the ledger's state is one of these. */
import type { AllowEntry, LedgerEntry, Mode } from '../model/decision.js';
import type { Subject, SubjectKind } from '../model/subject.js';

/** When a record was made, in both times: `at_ns` counts from the boot `boot`. */
export interface Stamp {
  readonly boot: string;
  readonly at: string;
  readonly at_ns: number;
}

export type EndReason = 'expired' | 'gone' | 'replaced' | 'retired';

/** Rows of a bounded table, oldest first, as a rewritten journal keeps them. */
export const TABLES = ['strikes', 'ended', 'lifted-ids', 'lifted-subjects', 'lifted-policies'] as const;
export type Table = (typeof TABLES)[number];
export type Row = readonly (string | number)[];

/** What was too much for the breaker, and when (RFC 3339, UTC). */
export interface Tripped {
  readonly at: string;
  readonly reason: string;
}

export type RecordBody =
  | { readonly kind: 'boot' }
  | { readonly kind: 'block'; readonly entry: LedgerEntry; readonly strike: number }
  | ({ readonly kind: 'unblock' } & Lift)
  | {
      readonly kind: 'end';
      readonly ids: readonly string[];
      readonly why: EndReason;
      /** Key of a subject that can never come back. */
      readonly gone?: string;
    }
  /** `audit`: denies that began at or before `demoted_ns` count as audit. `tripped`: the breaker did it. */
  | {
      readonly kind: 'mode';
      readonly mode: Mode;
      readonly demoted_ns?: number;
      readonly tripped?: string;
    }
  | { readonly kind: 'panic' }
  | { readonly kind: 'allow'; readonly entry: AllowEntry; readonly until_ns?: number }
  | { readonly kind: 'disallow'; readonly subjects: readonly string[] }
  | { readonly kind: 'memory'; readonly table: Table; readonly rows: readonly Row[] }
  | {
      readonly kind: 'latch';
      readonly mode?: Mode;
      readonly tripped?: Tripped;
      readonly panicked: boolean;
      readonly demoted_ns: number;
      readonly lifted_ns: number;
    };

/** What an operator's unblock takes back; subjects by key (`kind:id`). A tombstone when written offline. */
export interface Lift {
  readonly ids?: readonly string[];
  readonly subjects?: readonly string[];
  readonly policies?: readonly string[];
  readonly all?: boolean;
}

export type JournalRecord = Stamp & RecordBody;

/** Where records go. `append` returns when they are as safe as they must be; it never throws. */
export interface Journal {
  append(records: readonly JournalRecord[]): void;
  /** Takes what others appended since; cheap when nobody did. */
  poll(): void;
  /** Replaces everything written so far; `snapshot` is called once all lines of others were handed over. */
  rewrite(snapshot: () => Iterable<JournalRecord>): void;
  /** True when so much was appended that a rewrite pays. */
  readonly grown: boolean;
  /** Who takes the records that others (the commands, with the agent down) appended meanwhile. */
  onForeign(take: (records: readonly JournalRecord[]) => void): void;
}

/** For replay and trials: nothing is written. */
export const NO_JOURNAL: Journal = {
  append() {},
  poll() {},
  rewrite() {},
  grown: false,
  onForeign() {},
};

const OUTLIVE: ReadonlySet<SubjectKind> = new Set([
  'unit',
  'container',
  'user',
  'exe',
  'source',
  'destination',
]);

/** True when the subject still means the same after a reboot; pids, sessions and cgroup ids do not. */
export const outlivesBoot = (subject: Pick<Subject, 'kind'>): boolean => OUTLIVE.has(subject.kind);

/**
 * True when a power cut must not lose the record. What is written survives a killed agent anyway; a
 * power cut also ends every process, session and cgroup, so their records need not wait for the
 * disk. An attacker who forks offenders can therefore not make the agent wait for it either.
 */
export const mustReachDisk = (record: JournalRecord): boolean =>
  record.kind === 'block' ? outlivesBoot(record.entry.subject) : !(record.kind === 'end');

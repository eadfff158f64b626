/** The end of the line: history, findings, followers, the audit log, and the lines people read. */
import { KG_ROW_WORDS } from '../abi/generated.js';
import type { Ruling } from '../decide/rule-on.js';
import type { LiveEvent } from '../decode/live-event.js';
import type { Clock } from '../lib/clock.js';
import type { CursorFactory } from '../model/cursor.js';
import type { LedgerEntry } from '../model/decision.js';
import type { Event } from '../model/event.js';
import type { Finding } from '../model/finding.js';
import type { Outcome } from '../model/outcome.js';
import type { Policy } from '../model/policy.js';
import { subjectKey } from '../model/subject.js';
import type { Report } from '../pipeline.js';
import { AuditLog } from '../report/audit-log.js';
import { FindingLog } from '../report/findings.js';
import { Followers } from '../report/followers.js';
import { History } from '../report/history.js';
import { denialLine, failureLine, findingLine, liftedLine } from '../report/lines.js';
import { Rate } from '../report/rate.js';

const HISTORY = 16_384;
const EVIDENCE_MAX = 32;

export interface ReporterOptions {
  readonly clock: Clock;
  readonly auditLog: string;
  readonly rows: Uint32Array;
  readonly cursor: CursorFactory;
  readonly say: (line: string) => void;
  /** A decision was made. */
  readonly decided: () => void;
  /** A birth was seen. */
  readonly born: (child: string, parent: string) => void;
  /** A program was started. */
  readonly started: (exe: string) => void;
}

export class Reporter implements Report {
  readonly history: History;
  readonly findings = new FindingLog();
  readonly followers = new Followers();
  readonly audit: AuditLog;
  readonly rate: Rate;
  /** Enforcement that did not take hold, since the start. */
  failures = 0;
  /** What is failing now, by subject, for `status`. */
  readonly failing = new Map<string, string>();
  readonly #options: ReporterOptions;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.history = new History({ words: KG_ROW_WORDS, capacity: HISTORY, cursor: options.cursor });
    this.audit = new AuditLog(options.auditLog, options.clock);
    this.rate = new Rate(options.clock.bootNs());
  }

  event(event: LiveEvent, index: number): void {
    this.history.push(this.#options.rows, index);
    if (this.followers.size > 0) this.followers.publish(event);
    if (event.kind === 'exec') this.#options.started(event.exe);
    if (event.kind === 'fork' && event.child !== undefined) {
      this.#options.born(`${event.child}@${event.childTick}`, `${event.pid}@${event.startTick}`);
    }
  }

  finding(finding: Finding, ruling: Ruling): void {
    this.findings.add(finding);
    const refused = ruling.refused === undefined ? '' : ` (not blocked: ${ruling.refused})`;
    this.#options.say(findingLine(finding) + refused);
    if (ruling.refused !== undefined) {
      this.audit.note('refused', { finding: finding.id, reason: ruling.refused });
    }
  }

  decision(entry: LedgerEntry, event?: LiveEvent): void {
    this.#options.decided();
    this.audit.decision(entry);
    this.#options.say(denialLine(entry, event?.exe));
  }

  ended(entries: readonly LedgerEntry[], why: string): void {
    for (const entry of entries) {
      this.audit.lifted(entry, why);
      this.#options.say(liftedLine(entry, why));
    }
  }

  /** Of one whole pass: what is not among them fails no more, if only because nobody wants it now. */
  outcomes(outcomes: readonly Outcome[]): void {
    const before = new Set(this.failing.keys());
    this.failing.clear();
    for (const outcome of outcomes) {
      if (outcome.did !== 'failed') continue;
      const key = subjectKey(outcome.subject);
      this.failures++;
      if (!before.has(key)) this.#options.say(failureLine(outcome));
      this.failing.set(key, outcome.error ?? 'no reason given');
    }
  }

  evidence({ policy, counted, atNs }: { policy: Policy; counted: string; atNs: number }): Event[] {
    if (policy.detect.type !== 'burst') return [];
    const { by, tiers } = policy.detect;
    const within = Math.max(...tiers.map((tier) => tier.withinNs));
    const most = Math.min(EVIDENCE_MAX, Math.max(...tiers.map((tier) => tier.limit)));
    return this.history.recent(
      {
        kinds: policy.on,
        sinceNs: atNs - within,
        where: (event) => {
          if (event.atNs >= atNs || event.crossed || event.verdict === 'deny') return false;
          const key = event.key(by);
          return key !== undefined && subjectKey(key) === counted && policy.matches(event);
        },
      },
      most,
    );
  }

  close(): void {
    this.audit.close();
  }
}

/**
 * The way through the house, and the only file that names all stages, in order:
 * decode → enrich → detect → decide → enforce → report. Nothing flows back. The agent feeds it from
 * the ring and ends it in the enforcers; a replay will feed it from a capture.
 */
import type { Ledger } from './decide/ledger.js';
import type { Ruling } from './decide/rule-on.js';
import type { BatchReader } from './decode/batch.js';
import type { LiveEvent } from './decode/live-event.js';
import { type Crossing, createEngine, type Engine } from './detect/engine.js';
import type { Enforcer } from './enforce/enforcer.js';
import type { Clock } from './lib/clock.js';
import { formatDuration } from './lib/duration.js';
import { hexId } from './lib/hex-id.js';
import { type LedgerEntry, type Level, type Mode, weaker } from './model/decision.js';
import type { Event } from './model/event.js';
import type { Finding } from './model/finding.js';
import type { Outcome } from './model/outcome.js';
import type { Policy } from './model/policy.js';
import { subjectKey } from './model/subject.js';

const WALKS = 64;

/** What leaves the pipeline. */
export interface Report {
  /** Each event, before anything is decided on it; `index` is its place in the batch. */
  event(event: LiveEvent, index: number): void;
  finding(finding: Finding, ruling: Ruling): void;
  decision(entry: LedgerEntry, event: LiveEvent): void;
  ended(entries: readonly LedgerEntry[], why: string): void;
  outcomes(outcomes: readonly Outcome[]): void;
  /** Earlier events of the finding, oldest first; asked for when the batch is over. */
  evidence(crossing: { policy: Policy; counted: string; atNs: number }): Event[];
}

export interface Stages {
  readonly clock: Clock;
  readonly reader: BatchReader;
  readonly ledger: Ledger;
  readonly enforcers: readonly Enforcer[];
  readonly report: Report;
  readonly level: () => Level;
  readonly mode: () => Mode;
  /** Takes kernel decisions that must not stand out of their windows. */
  readonly release: (decisions: ReadonlySet<string>) => void;
  /** True for events of kerngate's own making, such as the canary's. */
  readonly isOwn: (event: LiveEvent) => boolean;
  /** Events lost so far. */
  readonly lost: () => number;
}

interface Pending {
  readonly evidence: Event[];
  readonly policy: Policy;
  readonly counted: string;
  readonly atNs: number;
}

/** Records of one ring are in order but for the time between a hook's look at the clock and its record. */
const DISORDER_NS = 1e6;

export class Pipeline {
  readonly engine: Engine;
  readonly #stages: Stages;
  readonly #released = new Set<string>();
  #pending: Pending[] = [];
  #mustEnforce = false;
  /** Time of the latest record that came on the telemetry's ring. */
  #telemetryNs = 0;

  constructor(stages: Stages, policies: readonly Policy[]) {
    this.#stages = stages;
    this.engine = createEngine(policies);
  }

  /** One drained batch. */
  batch(count: number): void {
    this.#stages.reader.read(count, (event, index) => this.#one(event, index));
    if (this.#released.size > 0) {
      this.#stages.release(this.#released);
      this.#released.clear();
    }
    if (this.#mustEnforce) this.enforce();
    if (this.hasPending) this.completeFindings(this.#telemetryNs - DISORDER_NS);
  }

  /** Makes the kernel agree with the ledger; also called for operators' changes and on a timer. */
  enforce(): Outcome[] {
    this.#mustEnforce = false;
    const desired = this.#stages.ledger.desired();
    const outcomes = this.#stages.enforcers.flatMap((enforcer) => enforcer.apply(desired));
    this.#stages.report.outcomes(outcomes);
    return outcomes;
  }

  /**
   * Children born while a tree is walked are seen by the next walk only: walks until one changes nothing.
   * A tree that outruns them all is followed up by the timer.
   */
  settle(change: Outcome['did']): Outcome[] {
    let outcomes = this.enforce();
    for (let pass = 0; pass < WALKS && outcomes.some(({ did }) => did === change); pass++) {
      outcomes = this.enforce();
    }
    return outcomes;
  }

  /**
   * Fills in the events that led to each finding before `beforeNs`. A crossing travels on a ring of its
   * own and overtakes the telemetry before it, so this is done once that has been drained; and no later,
   * or a long backlog would push the evidence out of the history again.
   */
  completeFindings(beforeNs = Number.POSITIVE_INFINITY): void {
    const isDue = ({ atNs }: Pending): boolean => atNs < beforeNs;
    const due = this.#pending.filter(isDue);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((pending) => !isDue(pending));
    for (const { evidence, ...crossing } of due) {
      evidence.unshift(...this.#stages.report.evidence(crossing));
    }
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  #one(event: LiveEvent, index: number): void {
    const { report, ledger } = this.#stages;
    if (this.#stages.isOwn(event)) return;
    if (event.ended) {
      this.#end(event);
      return;
    }
    if (!event.crossed) this.#telemetryNs = event.atNs;
    if (!event.again) report.event(event, index);
    this.engine.step(event, (crossing) => this.#cross(asShared(crossing, event), event));
    if (event.kind === 'exit') {
      const gone = event.key('process');
      if (gone) report.ended(ledger.subjectGone(gone), 'its process ended');
    }
  }

  /** A kernel decision is over; its last count comes with the record. */
  #end(event: LiveEvent): void {
    const { report, ledger } = this.#stages;
    if (event.decision !== undefined) ledger.noteHits(event.decision, event.hits, event.atNs);
    if (event.kind !== 'exit') {
      if (event.decision !== undefined) report.ended(ledger.over(event.decision), 'expired');
      return;
    }
    const subject = event.key('process');
    if (subject) report.ended(ledger.subjectGone(subject), 'its process ended');
  }

  #cross(crossing: Crossing, event: LiveEvent): void {
    const { report, ledger, level, mode } = this.#stages;
    const finding = this.#finding(crossing, event);
    const kernelDecision = crossing.inKernel ? event.decision : undefined;
    const ruling = ledger.decide({
      finding,
      policy: crossing.policy,
      subject: crossing.subject,
      counted: crossing.counted,
      mode: this.#modeOf(crossing, event, mode()),
      atNs: event.atNs,
      inKernel: crossing.inKernel,
      ...(kernelDecision === undefined ? {} : { kernelDecision }),
      rule: crossing.policy.hash,
      level: level(),
      untrusted: crossing.untrusted,
    });
    if (ruling.release !== undefined) this.#released.add(ruling.release);
    if (crossing.inKernel && ruling.decision) ledger.noteHits(ruling.decision.id, event.hits, event.atNs);
    for (const entry of [ruling.decision, ruling.widened]) {
      if (!entry || entry.finding !== finding.id) continue;
      finding.decision ??= entry.id;
      if (!entry.pushed) this.#mustEnforce = true;
      report.decision(entry, event);
    }
    if (ruling.decision && !ruling.created) finding.decision ??= ruling.decision.id;
    report.finding(finding, ruling);
  }

  /** What the hook did is what the decision says. */
  #modeOf({ policy, inKernel }: Crossing, event: LiveEvent, agent: Mode): Mode {
    if (inKernel) return event.verdict === 'deny' ? 'enforce' : 'audit';
    return weaker(policy.mode ?? agent, agent);
  }

  #finding(crossing: Crossing, event: LiveEvent): Finding {
    const { policy, subject, counted } = crossing;
    const evidence = [event.snapshot()];
    this.#pending.push({ evidence, policy, counted: subjectKey(counted), atNs: event.atNs });
    return {
      id: hexId('finding', policy.name, subjectKey(counted), event.atNs),
      at: this.#stages.clock.wall(event.atNs),
      policy: policy.name,
      severity: policy.severity,
      attack: policy.attack,
      subject,
      summary: summaryOf(crossing, event),
      evidence,
      lost: this.#stages.lost(),
    };
  }
}

/** The map of windows was full: the verdict lies on the window that the whole cgroup shares. */
const asShared = (crossing: Crossing, event: LiveEvent): Crossing => {
  const cgroup = crossing.inKernel && event.shared ? event.key('cgroup') : undefined;
  if (!cgroup) return crossing;
  const isSame = subjectKey(crossing.subject) === subjectKey(crossing.counted);
  return { ...crossing, counted: cgroup, subject: isSame ? cgroup : crossing.subject };
};

const summaryOf = (crossing: Crossing, event: LiveEvent): string => {
  const shared = event.shared ? '; the map of windows is full, so the cgroup is counted as one' : '';
  return plainSummary(crossing, event) + shared;
};

const plainSummary = ({ policy, counted, tier, distinct }: Crossing, event: LiveEvent): string => {
  const where = event.dstIp === undefined ? '' : ` to ${event.dstIp} port ${event.dstPort}`;
  if (policy.detect.type !== 'burst') return `${event.kind}${where}`;
  const { limit, withinNs } = tier ?? policy.detect.tiers[0] ?? { limit: 0, withinNs: 0 };
  const what = policy.detect.distinct === undefined ? 'events' : `distinct ${policy.detect.distinct}`;
  const count = distinct ?? limit + 1;
  const whose = policy.detect.by === 'process' ? '' : ` by ${counted.kind} ${counted.name}`;
  return `${count} ${what} (${policy.on.join(', ')}) in ${formatDuration(withinNs)}${whose}, limit ${limit}; last${where || ` ${event.kind}`}`;
};

/**
 * The way through the house, and the only file that names all stages, in order:
 * decode → enrich → detect → decide → enforce → report. Nothing flows back. The agent feeds it from
 * the ring and ends it in the enforcers; a replay feeds it from a capture and ends it in a report.
 */
import type { Trip } from './decide/breaker.js';
import type { Ledger } from './decide/ledger.js';
import type { Ruling } from './decide/rule-on.js';
import type { LiveEvent } from './decode/live-event.js';
import { type Crossing, createEngine, type Engine, type EngineOptions } from './detect/engine.js';
import type { Enforcer } from './enforce/enforcer.js';
import type { Clock } from './lib/clock.js';
import { hexId } from './lib/hex-id.js';
import { type LedgerEntry, type Level, type Mode, weaker } from './model/decision.js';
import type { Event, EventView } from './model/event.js';
import type { Finding } from './model/finding.js';
import type { Outcome } from './model/outcome.js';
import type { Policy } from './model/policy.js';
import { subjectKey } from './model/subject.js';
import { summaryOf } from './report/summary.js';

const WALKS = 64;

/** An event, and what the gate has to say of it beyond what a detector may know. */
export interface GatedEvent extends EventView {
  /** The subject of `decision` is gone; `hits` is its last count. */
  readonly ended: boolean;
  /** Decided by a window the whole cgroup shares. */
  readonly shared: boolean;
  readonly hits: number;
}

/** What leaves the pipeline. */
export interface Report<E extends GatedEvent = LiveEvent> {
  /** Each event, before anything is decided on it; `index` is its place in the batch. */
  event(event: E, index: number): void;
  finding(finding: Finding, ruling: Ruling): void;
  decision(entry: LedgerEntry, event: E): void;
  ended(entries: readonly LedgerEntry[], why: string): void;
  outcomes(outcomes: readonly Outcome[]): void;
  /** Earlier events of the finding, oldest first; asked for when the batch is over. */
  evidence(crossing: { policy: Policy; counted: string; atNs: number }): Event[];
}

/** A verdict the gate itself gave when a limit was crossed. */
export interface GateVerdict {
  /** 16 hexadecimal digits. */
  readonly decision?: string;
  readonly mode: Mode;
}

export interface Stages<E extends GatedEvent = LiveEvent> {
  readonly clock: Clock;
  /** Calls `sink` for each of the next `count` events, in order; it is told whether a crossing refused the event. */
  readonly reader: { read(count: number, sink: (event: E, index: number) => boolean): void };
  readonly ledger: Ledger;
  readonly enforcers: readonly Enforcer[];
  readonly report: Report<E>;
  readonly level: () => Level;
  readonly mode: () => Mode;
  /** What the gate did about a crossing; undefined when the decision is the agent's to make. */
  readonly gate: (crossing: Crossing, event: E) => GateVerdict | undefined;
  /** The breaker has tripped, or in audit would have: what was decided so far is one too many. */
  readonly trip: (trip: Trip) => void;
  /** Whoever is born from here on is found by the walk that follows, be his mother gone by then. */
  readonly seal?: () => void;
  /** Takes kernel decisions that must not stand out of their windows. */
  readonly release: (decisions: ReadonlySet<string>) => void;
  /** True for events of kerngate's own making, such as the canary's. */
  readonly isOwn: (event: E) => boolean;
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

export class Pipeline<E extends GatedEvent = LiveEvent> {
  readonly engine: Engine;
  readonly #stages: Stages<E>;
  readonly #released = new Set<string>();
  #pending: Pending[] = [];
  #mustEnforce = false;
  /** Time of the latest record that came on the telemetry's ring. */
  #telemetryNs = 0;
  readonly #sink = (event: E, index: number): boolean => this.#one(event, index);

  constructor(stages: Stages<E>, policies: readonly Policy[], options: EngineOptions = {}) {
    this.#stages = stages;
    this.engine = createEngine(policies, options);
  }

  /** One drained batch. */
  batch(count: number): void {
    this.#stages.reader.read(count, this.#sink);
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
    if (this.#stages.enforcers.length === 0) return [];
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
    this.#stages.seal?.();
    let outcomes = this.enforce();
    for (let pass = 0; pass < WALKS && outcomes.some(({ did }) => did === change); pass++) {
      this.#stages.seal?.();
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

  #one(event: E, index: number): boolean {
    const { report, ledger } = this.#stages;
    if (this.#stages.isOwn(event)) return false;
    if (event.ended) {
      this.#end(event);
      return false;
    }
    if (!event.crossed) this.#telemetryNs = event.atNs;
    if (!event.again) report.event(event, index);
    const isRefused = this.engine.step(event, (crossing) => this.#cross(asShared(crossing, event), event));
    if (event.kind === 'exit') {
      const gone = event.key('process');
      if (gone) report.ended(ledger.subjectGone(gone), 'its process ended');
    }
    return isRefused;
  }

  /** A kernel decision is over; its last count comes with the record. */
  #end(event: E): void {
    const { report, ledger } = this.#stages;
    if (event.decision !== undefined) ledger.noteHits(event.decision, event.hits, event.atNs);
    if (event.kind !== 'exit') {
      if (event.decision !== undefined) report.ended(ledger.over(event.decision), 'expired');
      return;
    }
    const subject = event.key('process');
    if (subject) report.ended(ledger.subjectGone(subject), 'its process ended');
  }

  #cross(crossing: Crossing, event: E): void {
    const { report, ledger, level } = this.#stages;
    const verdict = this.#stages.gate(crossing, event);
    const finding = this.#finding(crossing, event);
    const ruling = ledger.decide({
      finding,
      policy: crossing.policy,
      subject: crossing.subject,
      counted: crossing.counted,
      mode: verdict?.mode ?? this.#modeOf(crossing.policy),
      atNs: event.atNs,
      inKernel: verdict !== undefined,
      ...(verdict?.decision === undefined ? {} : { kernelDecision: verdict.decision }),
      rule: crossing.policy.hash,
      level: level(),
      untrusted: crossing.untrusted,
    });
    if (ruling.release !== undefined) {
      this.#released.add(ruling.release);
      this.#mustEnforce = true; /* the guardrail that fired belongs into the kernel, or the next attempt is refused too */
    }
    if (verdict && ruling.decision) ledger.noteHits(ruling.decision.id, event.hits, event.atNs);
    for (const entry of [ruling.decision, ruling.widened]) {
      if (!entry || entry.finding !== finding.id) continue;
      finding.decision ??= entry.id;
      if (!entry.pushed) this.#mustEnforce = true;
      report.decision(entry, event);
    }
    if (ruling.decision && !ruling.created) finding.decision ??= ruling.decision.id;
    report.finding(finding, ruling);
    if (ruling.trip) this.#stages.trip(ruling.trip);
  }

  #modeOf(policy: Policy): Mode {
    const agent = this.#stages.mode();
    return weaker(policy.mode ?? agent, agent);
  }

  #finding(crossing: Crossing, event: E): Finding {
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
      summary: summaryOf(crossing, event, event.shared),
      evidence,
      lost: this.#stages.lost(),
    };
  }
}

/** The map of windows was full: the verdict lies on the window that the whole cgroup shares. */
const asShared = (crossing: Crossing, event: GatedEvent): Crossing => {
  const cgroup = crossing.inKernel && event.shared ? event.key('cgroup') : undefined;
  if (!cgroup) return crossing;
  const isSame = subjectKey(crossing.subject) === subjectKey(crossing.counted);
  return { ...crossing, counted: cgroup, subject: isSame ? cgroup : crossing.subject };
};

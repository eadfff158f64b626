/**
 * Plays the kernel's part in a replay: which decision in force an attempt meets, and what it does to it.
 * The order is the hooks' own: what the agent set, then what windows hold, a deny before an audit entry.
 */

import { hexId } from '../lib/hex-id.js';
import type { Crossing } from '../model/crossing.js';
import { type LedgerEntry, type Mode, weaker } from '../model/decision.js';
import type { EventKind } from '../model/event.js';
import type { Policy } from '../model/policy.js';
import { type SubjectKind, subjectKey } from '../model/subject.js';
import type { GateVerdict } from '../pipeline.js';
import type { ReplayEvent } from './event.js';
import { Outcomes } from './outcomes.js';

/** What a decision met with; counted here, since a flood of hits must not cost the ledger. */
export interface Held {
  readonly entry: LedgerEntry;
  hits: number;
  /** `at` of the latest hit. */
  lastHit: string | undefined;
}

/** Kinds that reach for the network: a subject that is denied does not get them through. */
const OUTWARD: ReadonlySet<EventKind> = new Set(['connect', 'send']);
/** Kinds that come from a remote address: dropped on the way when that is blocked. */
const INWARD: ReadonlySet<EventKind> = new Set([
  'accept',
  'auth.start',
  'auth.attempt',
  'auth.success',
  'auth.failure',
  'auth.end',
]);

/** As the hook asks them; `unit` and `container` are cgroups to it. */
const ORDER: readonly SubjectKind[] = [
  'process',
  'lineage',
  'exe',
  'session',
  'user',
  'destination',
  'cgroup',
  'unit',
  'container',
];

export class Gate {
  /** Attempts refused, and attempts that audit let through. */
  readonly counts = { denied: 0, audited: 0 };
  readonly outcomes: Outcomes | undefined;
  readonly #mode: () => Mode;
  /** Place of each policy in the order of evaluation. */
  readonly #order: ReadonlyMap<string, number>;
  readonly #byId = new Map<string, Held>();
  /** By kind, then id. */
  readonly #bySubject = new Map<SubjectKind, Map<string, Held[]>>();
  readonly #cgroups = new Set<Held>();
  /** Decisions held, by kind of subject. */
  readonly #kinds = new Map<SubjectKind, number>();
  /** Those of them that an attempt to reach the network is asked for, in order. */
  #outward: readonly SubjectKind[] = [];
  /** Of the event at hand: what it met, and the decisions its crossings led to. */
  readonly #met: Held[] = [];
  readonly #crossings: string[] = [];
  #isDenied = false;
  /** Decision the attempt at hand was refused by, or would be in audit. */
  #refusal: Held | undefined;

  /** `policies` in the order of evaluation. */
  constructor(policies: readonly Policy[], mode: () => Mode) {
    this.#mode = mode;
    this.#order = new Map(policies.map(({ name }, place) => [name, place]));
    const asksForOutcomes = policies.some(({ on }) => on.some((kind) => kind.startsWith('connect.')));
    this.outcomes = asksForOutcomes ? new Outcomes() : undefined;
  }

  /** The decision that refused the event at hand (in audit: would have), if any. */
  get refusal(): Held | undefined {
    return this.#refusal;
  }

  hold(entry: LedgerEntry): Held {
    const held = { entry, hits: 0, lastHit: undefined };
    const { kind, id } = entry.subject;
    this.#byId.set(entry.id, held);
    const ofKind = this.#bySubject.get(kind) ?? new Map<string, Held[]>();
    this.#bySubject.set(kind, ofKind.set(id, [...(ofKind.get(id) ?? []), held]));
    if (entry.subject.kind === 'cgroup') this.#cgroups.add(held);
    this.#count(entry.subject.kind, 1);
    return held;
  }

  /** Answers what it met with; undefined when it was not held. */
  release(id: string): Held | undefined {
    const held = this.#byId.get(id);
    if (held === undefined) return undefined;
    const { subject } = held.entry;
    const ofKind = this.#bySubject.get(subject.kind);
    const rest = (ofKind?.get(subject.id) ?? []).filter((other) => other !== held);
    if (rest.length > 0) ofKind?.set(subject.id, rest);
    else ofKind?.delete(subject.id);
    this.#byId.delete(id);
    this.#cgroups.delete(held);
    this.#count(subject.kind, -1);
    return held;
  }

  /** Judges an event by what is in force, before the detectors hear of it. */
  meet(event: ReplayEvent): void {
    this.#refusal = undefined;
    if (this.#met.length > 0) this.#met.length = 0;
    if (this.#crossings.length > 0) this.#crossings.length = 0;
    this.#isDenied = this.outcomes?.isRefused(event) ?? false;
    if (this.#isDenied) {
      event.judge('deny');
      return;
    }
    if (this.#byId.size === 0) return;
    this.#collect(event);
    if (this.#met.length === 0) return;
    const denial = this.#agentEntry('enforce') ?? this.#windows('enforce')[0];
    if (denial) this.#deny(denial, event);
    else this.#audit(event);
  }

  /** What the hook does about a crossing of a policy that is its own; undefined when it is the agent's. */
  crossed({ policy, counted }: Crossing, event: ReplayEvent): GateVerdict | undefined {
    if (policy.placement !== 'kernel') return undefined;
    const mode = weaker(policy.mode ?? 'enforce', this.#mode());
    const decision = hexId('decision', policy.name, subjectKey(counted), event.atNs);
    event.judge(mode === 'enforce' ? 'deny' : 'audit', decision, policy.hash);
    this.#crossings.push(decision);
    return { decision, mode };
  }

  /** Counts what became of the event. `isRefused`: a crossing refused it. */
  after(event: ReplayEvent, isRefused: boolean): void {
    if (this.#isDenied) {
      this.outcomes?.note(event, true);
      return;
    }
    if (this.#crossings.length + this.#met.length === 0) {
      this.outcomes?.note(event, false);
      return;
    }
    const crossed = this.#crossings.flatMap((id) => this.#byId.get(id) ?? []);
    // A crossing without a decision met a guardrail: the hook would have spared the subject.
    const refusing = isRefused ? crossed[0] : undefined;
    if (refusing) this.#refuse(refusing, event);
    else this.#pass(event, crossed);
    this.outcomes?.note(event, refusing !== undefined);
  }

  /** A crossing is the first hit of the decision it leads to. */
  #refuse(held: Held, event: ReplayEvent): void {
    this.counts.denied++;
    this.#refusal = held;
    this.#hit(held, event);
  }

  #pass(event: ReplayEvent, crossed: readonly Held[]): void {
    for (const held of this.#met) this.#hit(held, event);
    for (const held of crossed) this.#hit(held, event);
    const told = [...this.#met, ...crossed];
    this.#refusal = told.find(({ entry }) => !entry.pushed) ?? this.#inOrder(told)[0];
    if (told.length > 0) this.counts.audited++;
  }

  #count(kind: SubjectKind, by: number): void {
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + by);
    this.#outward = ORDER.filter((other) => (this.#kinds.get(other) ?? 0) > 0);
  }

  #collect(event: ReplayEvent): void {
    if (INWARD.has(event.kind) && this.#kinds.get('source')) this.#take(event, 'source');
    else if (OUTWARD.has(event.kind)) for (const kind of this.#outward) this.#take(event, kind);
  }

  #take(event: ReplayEvent, kind: SubjectKind): void {
    const key = event.key(kind);
    const held = key && this.#bySubject.get(kind)?.get(key.id);
    if (held) this.#met.push(...held);
    if (kind === 'cgroup') this.#takeAncestors(event);
  }

  /** A capture tells the id of an event's own cgroup only; its ancestors are known by their paths. */
  #takeAncestors(event: ReplayEvent): void {
    const path = event.cgroupPath;
    for (const held of this.#cgroups) {
      const { id, name } = held.entry.subject;
      if (id !== event.cgroupId && path.startsWith(`${name}/`)) this.#met.push(held);
    }
  }

  /**
   * The one entry of the agent's that an attempt meets: the kernel holds one for each subject, the
   * strongest, and of several subjects the first counts.
   */
  #agentEntry(mode: Mode): Held | undefined {
    let best: Held | undefined;
    for (const held of this.#met) {
      const { pushed, mode: own, subject, untilNs } = held.entry;
      if (pushed || own !== mode) continue;
      const isSame = best && subjectKey(best.entry.subject) === subjectKey(subject);
      if (best === undefined || (isSame && untilNs > best.entry.untilNs)) best = held;
    }
    return best;
  }

  /** The verdicts windows hold, in the order of their policies. */
  #windows(mode: Mode): Held[] {
    return this.#inOrder(this.#met.filter(({ entry }) => entry.pushed && entry.mode === mode));
  }

  #inOrder(held: Held[]): Held[] {
    const place = ({ entry }: Held): number => this.#order.get(entry.policy) ?? 0;
    return held.sort((a, b) => place(a) - place(b));
  }

  #deny(held: Held, event: ReplayEvent): void {
    this.counts.denied++;
    this.#isDenied = true;
    this.#refusal = held;
    this.#hit(held, event);
    event.judge('deny', held.entry.id, held.entry.rule);
  }

  /** A rule does not hear of what passes under its own entry, be it the agent's or its window's. */
  #audit(event: ReplayEvent): void {
    const agent = this.#agentEntry('audit');
    const windows = this.#windows('audit').filter(({ entry }) => entry.rule !== agent?.entry.rule);
    const met = agent ? [agent, ...windows] : windows;
    this.#met.splice(0, this.#met.length, ...met);
    const [first] = met;
    if (first === undefined) return;
    this.#refusal = first;
    const rules = met.length > 1 ? met.map(({ entry }) => entry.rule) : undefined;
    event.judge('audit', first.entry.id, first.entry.rule, rules);
  }

  #hit(held: Held, event: ReplayEvent): void {
    held.hits++;
    held.lastHit = event.at;
  }
}

/** An event of a capture on its way through the pipeline: what the capture says, under a replay's own verdict. */
import { Captured } from '../capture/captured.js';
import type { Event, EventVerdict } from '../model/event.js';
import { type KeyedEvent, subjectOf } from '../model/event-key.js';
import type { CapturedEvent } from '../model/json-event.js';
import type { Subject, SubjectKind } from '../model/subject.js';
import type { GatedEvent } from '../pipeline.js';
import type { Lineages, Root } from './lineages.js';

/** Processes whose subject is kept; one that finds its place taken pushes the other out. */
const SLOTS = 4096;

interface Met {
  readonly pid: number;
  readonly tick: number;
  readonly comm: string;
  readonly subject: Subject;
}

/** One cursor serves all events of a run: what it says is void after the next `load`. */
export class ReplayEvent extends Captured implements GatedEvent, KeyedEvent {
  /** A capture has no records of ends. */
  readonly ended = false;
  readonly shared = false;
  readonly crossed = false;
  /** A capture holds each attempt once. */
  readonly again = false;
  /** A crossing that the gate refuses, or would, is the first hit of its decision. */
  readonly hits = 1;
  verdict: EventVerdict = 'none';
  decision: string | undefined;
  rule: string | undefined;
  alsoUnder: readonly string[] | undefined;
  readonly #lineages: Lineages;
  readonly #keys = new Map<SubjectKind, Subject | undefined>();
  readonly #met: (Met | undefined)[] = new Array(SLOTS).fill(undefined);
  #root: Root | undefined;

  constructor(lineages: Lineages) {
    super();
    this.#lineages = lineages;
  }

  load(event: Captured): void {
    this.copy(event);
    this.#root = undefined;
    if (this.#keys.size > 0) this.#keys.clear();
    this.judge('none');
  }

  /** What the gate says of it; the capture's own verdict is another run's. */
  judge(verdict: EventVerdict, decision?: string, rule?: string, alsoUnder?: readonly string[]): void {
    this.verdict = verdict;
    this.decision = decision;
    this.rule = rule;
    this.alsoUnder = alsoUnder;
  }

  get lineagePid(): number {
    return this.#lineage.pid;
  }
  get lineageTick(): number {
    return this.#lineage.tick;
  }
  get lineageComm(): string {
    return this.#lineage.comm;
  }

  key(by: SubjectKind): Subject | undefined {
    if (by === 'process') return this.#process();
    if (this.#keys.has(by)) return this.#keys.get(by);
    const subject = subjectOf(this, by);
    this.#keys.set(by, subject);
    return subject;
  }

  /** Most events are of processes that were met before: their subject is made once. */
  #process(): Subject | undefined {
    const { pid, startTick } = this;
    const slot = pid % SLOTS;
    const met = this.#met[slot];
    if (met && met.pid === pid && met.tick === startTick && this.isCalled(met.comm)) return met.subject;
    const subject = subjectOf(this, 'process');
    if (subject) this.#met[slot] = { pid, tick: startTick, comm: this.comm, subject };
    return subject;
  }

  snapshot(): Event {
    return snapshotOf(this.whole(), this.verdict, this.decision);
  }

  get #lineage(): Root {
    this.#root ??= this.#lineages.rootOf(this);
    return this.#root;
  }
}

/** The event with the verdict of this run in the place of the captured one. */
export const snapshotOf = (event: CapturedEvent, verdict: EventVerdict, decision?: string): Event => {
  const { verdict: captured, decision: _, rule: __, crossed: ___, result, lost, ...said } = event;
  const isOfVerdict = captured === 'deny' && result === 'EPERM';
  const kept = isOfVerdict || result === undefined ? {} : { result };
  const met = decision === undefined ? { verdict } : { verdict, decision };
  return { ...said, ...kept, ...met, lost: lost ?? 0 };
};

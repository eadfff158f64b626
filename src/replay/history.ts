/** The latest events that a finding may rest on, kept as lines of the capture and read again when one does. */
import { Captured } from '../capture/captured.js';
import { type Event, type EventKind, SEEN_KINDS } from '../model/event.js';
import type { CapturedEvent } from '../model/json-event.js';
import type { Policy } from '../model/policy.js';
import { subjectKey } from '../model/subject.js';
import { ReplayEvent, snapshotOf } from './event.js';
import { LineRing } from './line-ring.js';
import type { Lineages } from './lineages.js';

/** The same bounds as the agent's: a finding shows at most so many events. */
const EVIDENCE_MAX = 32;
const DENIED = 255;

export interface Sought {
  readonly policy: Policy;
  /** Key of the counted subject. */
  readonly counted: string;
  readonly atNs: number;
}

export class History {
  readonly #lines = new LineRing();
  /** Per line: place of its kind in the list of kinds, or `DENIED`. */
  readonly #kindOf = new Uint8Array(LineRing.rows);
  readonly #pids = new Float64Array(LineRing.rows);
  readonly #times = new Float64Array(LineRing.rows);
  /** Kinds that some finding may rest on, with their places. */
  readonly #kinds: ReadonlyMap<EventKind, number>;
  readonly #captured = new Captured();
  readonly #view: ReplayEvent;
  /** True when the newest line is the event at hand. */
  #isLast = false;

  constructor(policies: readonly Policy[], lineages: Lineages) {
    const kinds = policies.flatMap(({ on, detect }) => (detect.type === 'burst' ? on : []));
    this.#kinds = new Map(kinds.map((kind) => [kind, SEEN_KINDS.indexOf(kind)]));
    this.#view = new ReplayEvent(lineages);
  }

  push(event: ReplayEvent): void {
    const kind = this.#kinds.get(event.kind);
    this.#isLast = kind !== undefined && event.verdict !== 'deny';
    if (kind === undefined || !this.#isLast) return;
    const row = this.#lines.count % LineRing.rows;
    event.keepIn(this.#lines);
    this.#kindOf[row] = kind;
    this.#pids[row] = event.pid;
    this.#times[row] = event.atNs;
  }

  /** The attempt at hand was refused in the end. */
  refuseLast(): void {
    if (this.#isLast) this.#kindOf[(this.#lines.count - 1) % LineRing.rows] = DENIED;
  }

  /** Events that led to a finding, oldest first. */
  evidence(sought: Sought): Event[] {
    const { policy, atNs } = sought;
    if (policy.detect.type !== 'burst') return [];
    const { by, tiers } = policy.detect;
    const since = atNs - Math.max(...tiers.map(({ withinNs }) => withinNs));
    const most = Math.min(EVIDENCE_MAX, Math.max(...tiers.map(({ limit }) => limit)));
    const pid = by === 'process' ? Number(sought.counted.slice('process:'.length).split('@')[0]) : undefined;
    const kinds = new Set(policy.on.map((kind) => this.#kinds.get(kind)));
    const found: Event[] = [];
    for (let at = this.#lines.count - 1; at >= this.#lines.oldest && found.length < most; at--) {
      const row = at % LineRing.rows;
      const time = this.#times[row] as number;
      if (time <= since) break;
      const isOther = pid !== undefined && this.#pids[row] !== pid;
      if (time >= atNs || isOther || !kinds.has(this.#kindOf[row])) continue;
      const event = this.#read(at, sought);
      if (event) found.push(event);
    }
    return found.reverse();
  }

  #read(at: number, { policy, counted }: Sought): Event | undefined {
    const line = this.#lines.get(at);
    if (line === undefined || policy.detect.type !== 'burst') return undefined;
    const event = JSON.parse(line) as CapturedEvent;
    this.#captured.parsed(event);
    this.#view.load(this.#captured);
    const key = this.#view.key(policy.detect.by);
    const isCounted = key !== undefined && subjectKey(key) === counted && policy.matches(this.#view);
    return isCounted ? snapshotOf(event, 'none') : undefined;
  }
}

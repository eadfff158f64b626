/** One set of policies over one capture: the production pipeline on virtual time, with a gate that plays the kernel. */
import type { Captured } from '../capture/captured.js';
import type { CaptureHeader } from '../capture/format.js';
import { AllowList } from '../decide/allow-list.js';
import { Book } from '../decide/book.js';
import { BREAKER, Breaker, type BreakerLimits, type Trip } from '../decide/breaker.js';
import { Guardrails, type HostFacts } from '../decide/guardrails.js';
import { Ledger } from '../decide/ledger.js';
import { type Level, type Mode, weaker } from '../model/decision.js';
import type { Policy } from '../model/policy.js';
import { type GatedEvent, Pipeline } from '../pipeline.js';
import { VirtualClock } from './clock.js';
import { ReplayEvent } from './event.js';
import { Gate, type Held } from './gate.js';
import { History } from './history.js';
import { Lineages } from './lineages.js';
import { type Line, type PolicyCounts, ReplayReport } from './report.js';

/** Places in the tables follow from it; the same for every replay, so that a full table loses the same keys. */
const SEED = [0x6b65726e, 0x67617465] as const;
const LEVELS: readonly unknown[] = ['lsm', 'fmod_ret', 'cgroup'];

export interface RunOptions {
  /** As placed, in the order of evaluation. */
  readonly policies: readonly Policy[];
  readonly mode: Mode;
  readonly header: CaptureHeader;
  /** The agent's default when absent. */
  readonly breaker?: BreakerLimits;
}

/** The circuit breaker; `mode` is what it found: in `audit` it would have tripped. */
export interface Tripped {
  readonly at: string;
  readonly reason: string;
  readonly mode: Mode;
}

export interface RunCounts {
  readonly findings: number;
  readonly decisions: number;
  /** Findings whose block a guardrail prevented. */
  readonly refused: number;
  readonly denied: number;
  readonly audited: number;
  readonly expired: number;
  /** Decisions that ended with their process. */
  readonly gone: number;
  readonly tripped?: Tripped;
  readonly in_force: number;
  /** State given up for want of room: counts may be too low. */
  readonly evictions: number;
  readonly policies: readonly (PolicyCounts & { readonly policy: string })[];
}

export class Run {
  readonly #clock: VirtualClock;
  readonly #ledger: Ledger;
  readonly #gate: Gate;
  readonly #report: ReplayReport;
  readonly #pipeline: Pipeline<ReplayEvent>;
  readonly #event: ReplayEvent;
  readonly #history: History;
  readonly #lineages = new Lineages();
  /** True when some policy asks which tree a process belongs to. */
  readonly #hasTrees: boolean;
  readonly #policies: readonly Policy[];
  #mode: Mode;
  #trip: Trip | undefined;
  #tripped: Tripped | undefined;
  #next: Captured;

  constructor({ policies, mode, header, breaker = BREAKER }: RunOptions) {
    this.#clock = new VirtualClock(header.started);
    this.#event = new ReplayEvent(this.#lineages);
    this.#next = this.#event;
    this.#hasTrees = policies.some(asksForTrees);
    const book = new Book({ clock: this.#clock, bootId: header.boot_id });
    const guardrails = new Guardrails(this.#host(), new AllowList(book));
    /* how many units the host had is not in a capture: their share is not judged */
    this.#ledger = new Ledger(book, guardrails, undefined, new Breaker(breaker));
    this.#gate = new Gate(policies, () => this.#mode);
    this.#history = new History(policies, this.#lineages);
    const names = policies.map(({ name }) => name);
    this.#report = new ReplayReport(this.#gate, this.#history, names);
    const level = LEVELS.includes(header.level) ? (header.level as Level) : 'cgroup';
    this.#policies = policies;
    this.#mode = mode;
    this.#pipeline = new Pipeline(this.#stages(level), policies, {
      pushdown: false,
      seed: SEED,
      refuses: ({ placement, then, mode: own }) =>
        placement === 'kernel' && !then.allow && weaker(own ?? 'enforce', this.#mode) === 'enforce',
    });
  }

  /** Takes the next event of the capture; answers what it led to. */
  feed(event: Captured): Line[] {
    this.#next = event;
    this.#pipeline.batch(1);
    if (this.#pipeline.hasPending) this.#pipeline.completeFindings();
    if (this.#trip) this.#demote(this.#trip);
    return this.#report.take();
  }

  /** The decision that refused the last event, or in audit would have. */
  get refusal(): Held | undefined {
    return this.#gate.refusal;
  }

  /** The capture is over: the clock stands at its last event. */
  finish(): { lines: Line[]; counts: RunCounts } {
    const inForce = this.#ledger.entries();
    this.#report.close(inForce);
    const { evictions } = this.#pipeline.engine.stats();
    const counts = {
      ...this.#report.counts,
      ...this.#gate.counts,
      ...(this.#tripped && { tripped: this.#tripped }),
      in_force: inForce.length,
      evictions: evictions + this.#lineages.evictions + this.#ledger.stats().overflow,
      policies: [...this.#report.byPolicy].map(([policy, counted]) => ({ policy, ...counted })),
    };
    return { lines: this.#report.take(), counts };
  }

  /** As the agent does it, between two events: nothing is denied from here on. */
  #demote({ reason, isReal }: Trip): void {
    this.#trip = undefined;
    this.#tripped ??= { at: this.#clock.wall(this.#clock.bootNs()), reason, mode: this.#mode };
    if (!isReal) return;
    this.#mode = 'audit';
    this.#ledger.trip(reason, this.#clock.bootNs());
    this.#pipeline.engine.reload(this.#policies);
  }

  #stages(level: Level): ConstructorParameters<typeof Pipeline<ReplayEvent>>[0] {
    return {
      clock: this.#clock,
      reader: { read: (_, sink) => this.#read(sink) },
      ledger: this.#ledger,
      enforcers: [],
      report: this.#report,
      level: () => level,
      mode: () => this.#mode,
      gate: (crossing, event) => this.#gate.crossed(crossing, event),
      trip: (trip) => {
        this.#trip = trip;
      },
      release: () => {},
      isOwn: NEVER,
      lost: () => this.#event.lost,
    };
  }

  #read(sink: (event: ReplayEvent, index: number) => boolean): void {
    const event = this.#event;
    if (this.#hasTrees) this.#lineages.see(this.#next);
    event.load(this.#next);
    this.#clock.set(event);
    if (event.atNs >= this.#report.ends.least) this.#expire(event.atNs);
    this.#gate.meet(event);
    const isRefused = sink(event, 0);
    this.#gate.after(event, isRefused);
    if (isRefused) this.#history.refuseLast();
  }

  /** A decision holds up to, not at, its end. */
  #expire(nowNs: number): void {
    const { ends } = this.#report;
    while (ends.least <= nowNs) this.#report.ended(this.#ledger.over(ends.pop() ?? ''), 'expired');
  }

  /** Of the captured host nothing is known but what its events say. */
  #host(): HostFacts {
    const event = this.#event;
    return {
      addresses: () => ({ gateways: [], resolvers: [], own: [] }),
      get rootCgroup() {
        return event.cgroupPath === '/' ? event.cgroupId : '1';
      },
      protectedIn: () => [],
    };
  }
}

const NEVER = (_: GatedEvent): boolean => false;

const asksForTrees = ({ detect, then }: Policy): boolean =>
  then.block === 'lineage' || (detect.type === 'burst' && detect.by === 'lineage');

/** The detect stage: shows each event to the policies that name its kind, and emits what crosses. */
import { Hasher, randomSeed, type Seed } from '../lib/hash.js';
import type { EventKind, EventView } from '../model/event.js';
import type { Policy } from '../model/policy.js';
import type { Subject } from '../model/subject.js';
import type { DetectorOptions } from './detector.js';
import { type Emit, type Tally, Watch } from './watch.js';

export type { Crossing } from '../model/crossing.js';
export type { Emit } from './watch.js';

export interface EngineOptions {
  /** Most keys each policy keeps state for; 65536 when absent. */
  readonly capacity?: number;
  /** Seeds the tables' hash. Drawn at random when absent; a replay passes a fixed one. */
  readonly seed?: Seed;
  /**
   * True (the default) when a kernel counts the policies placed there. False where there is none, as
   * in a replay: then all are counted here.
   */
  readonly pushdown?: boolean;
  /**
   * Where there is no kernel: true for a policy whose crossing refuses the attempt itself, as its hook
   * would. Such an attempt did not happen: no other policy hears of it.
   */
  readonly refuses?: (policy: Policy) => boolean;
}

/** Totals since the engine was made, but for `keys`, which are held now. */
export interface EngineStats extends Readonly<Tally> {
  readonly keys: number;
  /** Windows given up to make room: some counts began anew. */
  readonly evictions: number;
  /** Crossings the kernel reported for a rule that is no longer known. */
  readonly unknownRules: number;
}

export interface Engine {
  /**
   * Shows one event to the policies. A crossing's event is valid during the call of `emit` only.
   * Answers whether a crossing refused the event, see `refuses`.
   */
  step(event: EventView, emit: Emit): boolean;
  /** Takes new policies; a rule with an unchanged hash keeps its windows. */
  reload(policies: readonly Policy[]): void;
  /** The operator lifted a block of this rule: the subject starts with an empty window at once. */
  forget(ruleHash: string, subject: Subject): void;
  stats(): EngineStats;
}

const CAPACITY = 65_536;

/**
 * Hashes of the policies must differ (the policy parser sees to it): they tell windows apart.
 * Pure: what it emits follows from the policies, the seed and the events in their order.
 */
export const createEngine = (policies: readonly Policy[], options: EngineOptions = {}): Engine =>
  new PolicyEngine(policies, options);

class PolicyEngine implements Engine {
  readonly #tally: Tally = { unkeyed: 0, quieted: 0, fallbacks: 0 };
  readonly #options: DetectorOptions;
  readonly #pushdown: boolean;
  readonly #refuses: (policy: Policy) => boolean;
  /** In order of evaluation. */
  #watches: readonly Watch[] = [];
  readonly #byKind = new Map<EventKind, Watch[]>();
  /** Who answers for a crossing in the kernel. */
  readonly #byHash = new Map<string, Watch>();
  readonly #scratch: Watch[] = [];
  #evictedBefore = 0;
  #unknownRules = 0;
  #nowNs = 0;

  constructor(policies: readonly Policy[], options: EngineOptions) {
    this.#options = {
      capacity: options.capacity ?? CAPACITY,
      hasher: new Hasher(options.seed ?? randomSeed()),
    };
    this.#pushdown = options.pushdown ?? true;
    this.#refuses = options.refuses ?? (() => false);
    this.reload(policies);
  }

  step(event: EventView, emit: Emit): boolean {
    if (event.atNs > this.#nowNs) this.#nowNs = event.atNs;
    const { crossed, verdict } = event;
    if (crossed) this.#crossedInKernel(event, emit);
    // An attempt that was denied did not happen: were it counted, our own denials would feed us.
    // One that crossed several limits at once has been counted with the first.
    if (verdict === 'deny' || event.again) return false;
    const watches = this.#byKind.get(event.kind);
    if (watches === undefined) return false;
    const fed = this.#fed(watches, event);
    const refusing = fed.length > 1 ? fed.find((watch) => this.#isRefusing(watch, event)) : undefined;
    if (refusing) return refusing.count(event, emit);
    let isRefused = false;
    for (const watch of fed) {
      if (watch.count(event, emit) && watch.refuses && !event.untrusted) isRefused = true;
    }
    return isRefused;
  }

  reload(policies: readonly Policy[]): void {
    const old = new Map(this.#watches.map((watch) => [watch.policy.hash, watch]));
    this.#watches = [...policies].sort(inOrder).map((policy) => {
      const watch = old.get(policy.hash);
      if (watch === undefined) return new Watch(policy, this.#options, this.#tally);
      old.delete(policy.hash);
      watch.rebind(policy);
      return watch;
    });
    for (const watch of old.values()) this.#evictedBefore += watch.evictions;
    this.#index();
  }

  forget(ruleHash: string, subject: Subject): void {
    for (const watch of this.#watches) {
      if (watch.policy.hash === ruleHash) watch.forget(subject, this.#nowNs);
    }
  }

  stats(): EngineStats {
    let keys = 0;
    let evictions = this.#evictedBefore;
    for (const watch of this.#watches) {
      keys += watch.keys;
      evictions += watch.evictions;
    }
    return { ...this.#tally, keys, evictions, unknownRules: this.#unknownRules };
  }

  /** Who is to count the event: those it matches, up to one that allows it. Valid until the next call. */
  #fed(watches: readonly Watch[], event: EventView): readonly Watch[] {
    const fed = this.#scratch;
    if (fed.length > 0) fed.length = 0;
    const own = event.crossed || event.verdict === 'audit' ? event.rule : undefined;
    const { alsoUnder } = event;
    for (const watch of watches) {
      const { policy } = watch;
      if (policy.hash === own || alsoUnder?.includes(policy.hash) || !policy.matches(event)) continue;
      if (policy.then.allow) break;
      fed.push(watch);
    }
    return fed;
  }

  #isRefusing(watch: Watch, event: EventView): boolean {
    return watch.refuses && !event.untrusted && watch.crosses(event);
  }

  #crossedInKernel(event: EventView, emit: Emit): void {
    const watch = event.rule === undefined ? undefined : this.#byHash.get(event.rule);
    if (watch) watch.crossedInKernel(event, emit);
    else this.#unknownRules++;
  }

  #index(): void {
    this.#byKind.clear();
    this.#byHash.clear();
    for (const watch of this.#watches) {
      const { policy } = watch;
      watch.refuses = this.#refuses(policy);
      this.#byHash.set(policy.hash, watch);
      // An allow rule in the kernel ends the evaluation there; the weaker policies here are ended here.
      const inKernel = this.#pushdown && policy.placement === 'kernel' && !policy.then.allow;
      if (!inKernel) for (const kind of new Set(policy.on)) this.#list(kind).push(watch);
    }
  }

  #list(kind: EventKind): Watch[] {
    const list = this.#byKind.get(kind) ?? [];
    this.#byKind.set(kind, list);
    return list;
  }
}

const inOrder = (a: Policy, b: Policy): number =>
  b.priority - a.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

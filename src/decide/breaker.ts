/**
 * The circuit breaker: a policy gone wrong must not take the host down. It counts what policies block
 * newly, and which share of the host's units they have hit; time is that of the blocks.
 */
import type { LedgerEntry, Mode } from '../model/decision.js';
import type { Subject } from '../model/subject.js';
import type { LiveTable } from './live-table.js';

export interface BreakerLimits {
  /** New blocks of policies within `withinNs` that are one too few to trip; undefined: not counted. */
  readonly blocks: number | undefined;
  readonly withinNs: number;
  /** Part of the host's units, 0 to 1, that is just too small to trip; undefined: not counted. */
  readonly units: number | undefined;
}

export const BREAKER: BreakerLimits = { blocks: 60, withinNs: 60e9, units: 0.25 };
export const BREAKER_OFF: BreakerLimits = { blocks: undefined, withinNs: 60e9, units: undefined };

/** On a host of fewer units a share says nothing: one of three is a third. */
const UNITS_LEAST = 10;

/** What the breaker asks of the host; without it no share is known, and none is judged. */
export interface UnitFacts {
  /** Names of the units that a block of the subject reaches. */
  unitsOf(subject: Subject): readonly string[];
  /** How many units there are. */
  unitCount(): number;
}

export interface Trip {
  /** For people: what was too much. */
  readonly reason: string;
  /** False when nothing was denied anyway: it would have tripped. */
  readonly isReal: boolean;
}

export class Breaker {
  readonly limits: BreakerLimits;
  readonly #host: UnitFacts | undefined;
  /** Times of the latest blocks, as a ring: the next one takes the oldest one's place. */
  readonly #stamps: Float64Array;
  #next = 0;
  #latestNs = Number.NEGATIVE_INFINITY;
  /** Units some block has reached; those whose block is over go when the share seems too large. */
  #units = new Set<string>();
  #isTripped = false;
  #isTold = false;

  constructor(limits: BreakerLimits, host?: UnitFacts) {
    this.limits = limits;
    this.#host = host;
    this.#stamps = new Float64Array(limits.blocks ?? 0).fill(Number.NEGATIVE_INFINITY);
  }

  /**
   * A policy has blocked newly: `entry`, and perhaps for the same finding the wider `beside`. Answers what
   * that trips; once, until `arm`. A block that is heard of late counts as if it had come with the latest:
   * no disorder can keep the count low.
   */
  note(live: LiveTable, entry: LedgerEntry, beside?: LedgerEntry): Trip | undefined {
    this.#latestNs = Math.max(this.#latestNs, entry.sinceNs);
    this.#reach(entry.subject);
    if (beside) this.#reach(beside.subject);
    const reason = this.#tooMany() ?? this.#tooWide(live, entry.mode);
    const isReal = entry.mode === 'enforce';
    if (reason === undefined || this.#isTripped || (this.#isTold && !isReal)) return undefined;
    if (isReal) this.#isTripped = true;
    else this.#isTold = true;
    return { reason, isReal };
  }

  /** Enforcement begins anew, and the count with it. */
  arm(): void {
    this.#stamps.fill(Number.NEGATIVE_INFINITY);
    this.#units.clear();
    this.#isTripped = false;
    this.#isTold = false;
  }

  /** Takes up the count of an earlier agent from the denies that are left of it: each finding's once. */
  resume(live: LiveTable): void {
    const denies = [...live.values()].map(({ entry }) => entry).filter(isCounted);
    const byFinding = new Map(denies.map((entry) => [entry.finding ?? entry.id, entry.sinceNs]));
    for (const sinceNs of [...byFinding.values()].sort((a, b) => a - b)) {
      this.#latestNs = sinceNs;
      this.#tooMany();
    }
    for (const { subject } of denies) this.#reach(subject);
  }

  #tooMany(): string | undefined {
    const { blocks, withinNs } = this.limits;
    if (blocks === undefined) return undefined;
    const oldestNs = this.#stamps[this.#next] ?? Number.NEGATIVE_INFINITY;
    this.#stamps[this.#next] = this.#latestNs;
    this.#next = (this.#next + 1) % blocks;
    const isOver = oldestNs > this.#latestNs - withinNs;
    return isOver ? `policies made more than ${blocks} blocks within ${withinNs / 1e9} s` : undefined;
  }

  #tooWide(live: LiveTable, mode: Mode): string | undefined {
    const host = this.#host;
    if (this.limits.units === undefined || !host) return undefined;
    /* fewer can be no such share of any host that counts: nothing is looked up then */
    if (this.#units.size <= this.limits.units * UNITS_LEAST) return undefined;
    const all = host.unitCount();
    if (all < UNITS_LEAST || this.#units.size <= this.limits.units * all) return undefined;
    const still = [...live.values()]
      .map(({ entry }) => entry)
      .filter((entry) => entry.by === 'policy' && entry.untilNs > this.#latestNs);
    const unitsOf = (entries: LedgerEntry[]) =>
      new Set(entries.flatMap(({ subject }) => host.unitsOf(subject)));
    this.#units = unitsOf(still);
    const hit = unitsOf(still.filter((entry) => entry.mode === mode)).size;
    return hit > this.limits.units * all
      ? `policies block in ${hit} of ${all} units, which is more than ${Math.round(this.limits.units * 100)} %`
      : undefined;
  }

  #reach(subject: Subject): void {
    if (this.limits.units === undefined) return;
    for (const unit of this.#host?.unitsOf(subject) ?? []) this.#units.add(unit);
  }
}

const isCounted = ({ by, mode }: LedgerEntry): boolean => by === 'policy' && mode === 'enforce';

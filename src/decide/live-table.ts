/** The decisions in force, findable by id and by subject. */
import type { LedgerEntry } from '../model/decision.js';
import { subjectKey } from '../model/subject.js';

/** A decision with the number of ended ones it escalated from. */
export interface Held {
  readonly entry: LedgerEntry;
  readonly strike: number;
}

export class LiveTable {
  readonly #byId = new Map<string, Held>();
  readonly #bySubject = new Map<string, Set<string>>();
  /** No decision ends before this moment: most ticks need no walk. */
  #nextEndNs = Number.POSITIVE_INFINITY;

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): Held | undefined {
    return this.#byId.get(id);
  }

  values(): IterableIterator<Held> {
    return this.#byId.values();
  }

  subjects(): IterableIterator<string> {
    return this.#bySubject.keys();
  }

  /** All decisions on one subject; there are at most a few per policy. */
  of(key: string): Held[] {
    const found: Held[] = [];
    for (const id of this.#bySubject.get(key) ?? []) {
      const held = this.#byId.get(id);
      if (held) found.push(held);
    }
    return found;
  }

  /** Adds, or replaces the one of the same id. */
  put(held: Held): void {
    const { id, subject, untilNs } = held.entry;
    const before = this.#byId.get(id);
    if (before && subjectKey(before.entry.subject) !== subjectKey(subject)) this.remove(id);
    this.#byId.set(id, held);
    const ids = this.#bySubject.get(subjectKey(subject)) ?? new Set<string>();
    this.#bySubject.set(subjectKey(subject), ids.add(id));
    this.#nextEndNs = Math.min(this.#nextEndNs, untilNs);
  }

  remove(id: string): Held | undefined {
    const held = this.#byId.get(id);
    if (held === undefined) return undefined;
    this.#byId.delete(id);
    const key = subjectKey(held.entry.subject);
    const ids = this.#bySubject.get(key);
    ids?.delete(id);
    if (ids?.size === 0) this.#bySubject.delete(key);
    return held;
  }

  /** Ids whose time is over at `nowNs`. A decision holds up to, not at, its end. */
  ended(nowNs: number): string[] {
    if (nowNs < this.#nextEndNs) return [];
    const ids: string[] = [];
    let next = Number.POSITIVE_INFINITY;
    for (const { entry } of this.#byId.values()) {
      if (entry.untilNs <= nowNs) ids.push(entry.id);
      else next = Math.min(next, entry.untilNs);
    }
    // The ended ones are still here until the caller removes them.
    this.#nextEndNs = ids.length > 0 ? nowNs : next;
    return ids;
  }
}

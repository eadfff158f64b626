/** The never-block list: entries of the operator (journalled) and of the configuration, with their end. */
import type { AllowEntry } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { type Subject, subjectKey } from '../model/subject.js';
import { netOf, overlap } from './address.js';
import type { Book } from './book.js';
import type { HeldAllow } from './state.js';

const LIMIT = 4096;

export interface AllowInput {
  readonly subject: Subject;
  readonly reason: string;
  /** Nanoseconds from now; absent: no end. */
  readonly forNs?: number;
}

export class AllowList {
  readonly #book: Book;
  readonly #config = new Map<string, HeldAllow>();

  constructor(book: Book) {
    this.#book = book;
  }

  /** Adds an operator's entry, or replaces the one on the same subject. Throws KerngateError when full. */
  add(input: AllowInput): AllowEntry {
    const { allow } = this.#book.state;
    if (allow.size >= LIMIT && !allow.has(subjectKey(input.subject))) {
      throw new KerngateError(`the allow list is full (${LIMIT} entries)`, {
        remedy: 'Remove entries with: kerngate allow rm SUBJECT',
      });
    }
    const { clock } = this.#book;
    const entry = { subject: input.subject, reason: input.reason, by: 'operator' } as const;
    if (input.forNs === undefined) {
      this.#book.commit({ kind: 'allow', entry });
      return entry;
    }
    const untilNs = clock.bootNs() + input.forNs;
    const ending = { ...entry, until: clock.wall(untilNs) };
    this.#book.commit({ kind: 'allow', entry: ending, until_ns: untilNs });
    return ending;
  }

  /** Removes the operator's entry on exactly this subject; answers what was removed. */
  remove(subject: Pick<Subject, 'kind' | 'id'>): AllowEntry[] {
    const held = this.#book.state.allow.get(subjectKey(subject));
    if (held === undefined) return [];
    this.#book.commit({ kind: 'disallow', subjects: [subjectKey(subject)] });
    return [held.entry];
  }

  /** Replaces the entries of the configuration; they are read anew at each start, never journalled. */
  configure(entries: readonly { readonly subject: Subject; readonly reason: string }[]): void {
    this.#config.clear();
    for (const { subject, reason } of entries) {
      const entry = { subject, reason, by: 'config' } as const;
      this.#config.set(subjectKey(subject), { entry, untilNs: Number.POSITIVE_INFINITY });
    }
  }

  /** Entries in force, those of the configuration first. */
  list(): AllowEntry[] {
    return this.held().map(({ entry }) => entry);
  }

  /** As `list`, with the end in ns since boot. */
  held(): HeldAllow[] {
    const nowNs = this.#book.clock.bootNs();
    const all = [...this.#config.values(), ...this.#book.state.allow.values()];
    return all.filter(({ untilNs }) => untilNs > nowNs);
  }

  /** The entry that spares the subject: one on itself or, for addresses, one whose net overlaps its own. */
  check(subject: Pick<Subject, 'kind' | 'id'>): AllowEntry | undefined {
    const key = subjectKey(subject);
    const nowNs = this.#book.clock.bootNs();
    const exact = [this.#config.get(key), this.#book.state.allow.get(key)];
    const held = exact.find((found) => found !== undefined && found.untilNs > nowNs);
    if (held) return held.entry;
    const net = netOf(subject);
    if (net === undefined) return undefined;
    return this.list().find((entry) => {
      const other = entry.subject.kind === 'source' ? netOf(entry.subject) : undefined;
      return other !== undefined && overlap(net, other);
    });
  }

  /** Removes entries whose time is over; answers them. */
  expire(nowNs: number): AllowEntry[] {
    const over = [...this.#book.state.allow.values()].filter(({ untilNs }) => untilNs <= nowNs);
    if (over.length === 0) return [];
    this.#book.commit({ kind: 'disallow', subjects: over.map(({ entry }) => subjectKey(entry.subject)) });
    return over.map(({ entry }) => entry);
  }
}

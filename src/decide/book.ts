/** State and journal as one: what is committed is written first and then holds. */
import type { Clock } from '../lib/clock.js';
import { type Journal, type JournalRecord, NO_JOURNAL, type RecordBody, type Stamp } from './record.js';
import { snapshot } from './snapshot.js';
import { LedgerState } from './state.js';

export interface BookOptions {
  readonly clock: Clock;
  /** Of the running kernel, or the captured one in a replay. */
  readonly bootId: string;
  readonly journal?: Journal;
  /** What the journal held, in its order. */
  readonly history?: Iterable<JournalRecord>;
}

export class Book {
  readonly state = new LedgerState();
  readonly clock: Clock;
  readonly #bootId: string;
  readonly #journal: Journal;
  #version = 0;

  constructor(options: BookOptions) {
    this.clock = options.clock;
    this.#bootId = options.bootId;
    this.#journal = options.journal ?? NO_JOURNAL;
    for (const record of options.history ?? []) this.state.apply(record);
    this.#journal.onForeign((records) => this.#absorb(records));
    if (this.state.stamp?.boot !== this.#bootId) this.commit({ kind: 'boot' });
  }

  /** Grows with every change, also those that others appended: enforcers compare it to know of work. */
  get version(): number {
    return this.#version;
  }

  /** What others did meanwhile comes first: an agent that hung must not act on what was lifted since. */
  catchUp(): void {
    this.#journal.poll();
  }

  /** Writes the records, then lets them hold. A full disk is the journal's concern and stops nothing. */
  commit(...bodies: readonly RecordBody[]): void {
    const stamp = this.#stamp();
    const records = bodies.map((body): JournalRecord => ({ ...stamp, ...body }));
    this.#journal.append(records);
    this.#absorb(records);
    if (this.#journal.grown) this.#journal.rewrite(() => snapshot(this.state, this.#stamp()));
  }

  #absorb(records: readonly JournalRecord[]): void {
    for (const record of records) this.state.apply(record);
    this.#version++;
  }

  #stamp(): Stamp {
    const ns = this.clock.bootNs();
    return { boot: this.#bootId, at: this.clock.wall(ns), at_ns: ns };
  }
}

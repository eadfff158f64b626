/** The latest records as the kernel wrote them, to be turned into events only when somebody asks. */
import type { CursorFactory, EventCursor } from '../model/cursor.js';
import type { Event, EventKind, EventView } from '../model/event.js';

export interface HistoryOptions {
  /** 32-bit words of a record. */
  readonly words: number;
  /** Records kept. */
  readonly capacity: number;
  readonly cursor: CursorFactory;
}

export interface HistoryQuery {
  /** Any of these kinds; absent: all. */
  readonly kinds?: readonly EventKind[];
  /** Nothing older than this moment (ns since boot): the search ends at the first record before it by a second. */
  readonly sinceNs?: number;
  readonly where?: (event: EventView) => boolean;
}

/** Rings are per purpose, and records of one may be handed over a little after younger ones of the other. */
const DISORDER_NS = 1e9;

/**
 * A record is a row of words here, not a column as in the ring: copying one touches few cache lines,
 * and no event becomes an object before it is asked for. What the kernel does not record (executable,
 * command line, paths) is looked up at that moment.
 */
export class History {
  readonly #words: number;
  readonly #capacity: number;
  readonly #rows: Uint32Array;
  /** One record in column layout of capacity 1, which is the same as a row. */
  readonly #row: Uint32Array;
  readonly #cursor: EventCursor;
  #pushed = 0;

  constructor(options: HistoryOptions) {
    this.#words = options.words;
    this.#capacity = options.capacity;
    this.#rows = new Uint32Array(options.words * options.capacity);
    // Two more words stand for the tail's offset and length: a kept record has no tail.
    this.#row = new Uint32Array(options.words + 2);
    this.#cursor = options.cursor(this.#row, 1);
  }

  /** Records held now. */
  get size(): number {
    return Math.min(this.#pushed, this.#capacity);
  }

  /** Copies record `index` out of columns laid out with `stride` records each. */
  push(columns: Uint32Array, stride: number, index: number): void {
    const at = (this.#pushed % this.#capacity) * this.#words;
    for (let word = 0, from = index; word < this.#words; word++, from += stride) {
      this.#rows[at + word] = columns[from] as number;
    }
    this.#pushed++;
  }

  /** The latest `max` events that match, oldest first. */
  recent(query: HistoryQuery, max: number): Event[] {
    const found: Event[] = [];
    const kinds = query.kinds && new Set(query.kinds);
    const since = query.sinceNs ?? Number.NEGATIVE_INFINITY;
    for (let back = 1; back <= this.size && found.length < max; back++) {
      this.#load(this.#pushed - back);
      const event = this.#cursor;
      if (event.atNs < since - DISORDER_NS) break;
      if (event.atNs < since || (kinds && !kinds.has(event.kind))) continue;
      if (!query.where || query.where(event)) found.push(event.snapshot());
    }
    return found.reverse();
  }

  #load(number: number): void {
    const at = (number % this.#capacity) * this.#words;
    this.#row.set(this.#rows.subarray(at, at + this.#words));
    this.#cursor.load(0);
  }
}

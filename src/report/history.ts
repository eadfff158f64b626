/** The latest records as the kernel wrote them, to be turned into events only when somebody asks. */
import type { CursorFactory, EventCursor } from '../model/cursor.js';
import type { Event, EventKind, EventView } from '../model/event.js';

export interface HistoryOptions {
  /** 32-bit words of a row. */
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
 * Records stay rows of words as the ring handed them over: no event becomes an object before it is asked
 * for. What the kernel does not record (executable, command line, paths) is looked up at that moment.
 * The tail of a record is not kept: a place that names one means nothing here.
 */
export class History {
  readonly #words: number;
  readonly #capacity: number;
  readonly #rows: Uint32Array;
  readonly #cursor: EventCursor;
  #pushed = 0;

  constructor(options: HistoryOptions) {
    this.#words = options.words;
    this.#capacity = options.capacity;
    this.#rows = new Uint32Array(options.words * options.capacity);
    this.#cursor = options.cursor(this.#rows);
  }

  /** Records held now. */
  get size(): number {
    return Math.min(this.#pushed, this.#capacity);
  }

  /** Copies record `index` out of `rows`. */
  push(rows: Uint32Array, index: number): void {
    const at = (this.#pushed % this.#capacity) * this.#words;
    const from = index * this.#words;
    for (let word = 0; word < this.#words; word++) this.#rows[at + word] = rows[from + word] as number;
    this.#pushed++;
  }

  /** The latest `max` events that match, oldest first. */
  recent(query: HistoryQuery, max: number): Event[] {
    const found: Event[] = [];
    const kinds = query.kinds && new Set(query.kinds);
    const since = query.sinceNs ?? Number.NEGATIVE_INFINITY;
    for (let back = 1; back <= this.size && found.length < max; back++) {
      this.#cursor.load((this.#pushed - back) % this.#capacity);
      const event = this.#cursor;
      if (event.atNs < since - DISORDER_NS) break;
      if (event.atNs < since || (kinds && !kinds.has(event.kind))) continue;
      if (!query.where || query.where(event)) found.push(event.snapshot());
    }
    return found.reverse();
  }
}

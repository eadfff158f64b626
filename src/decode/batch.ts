/** Walks one drained batch: tells the enricher of process life, then hands each event on. */
import { KG_EVENT_WORDS, KG_ROW_WORDS } from '../abi/generated.js';
import type { ProcessFeed } from '../model/enricher.js';
import { parseExecTail } from './exec-tail.js';
import type { LiveEvent } from './live-event.js';

export interface BatchSource {
  /** As the ring fills them: word w of record i at `rows[i * KG_ROW_WORDS + w]`. */
  readonly rows: Uint32Array;
  /** Where the bytes that follow records lie. */
  readonly tail: Uint8Array;
}

export class BatchReader {
  readonly counters = {
    /** Records of a kind this build does not know. */
    events_unknown: 0,
    /** Exec events whose path and arguments could not be read. */
    exec_tail_bad: 0,
    /** Events whose handling failed. */
    events_failed: 0,
  };
  /** The latest failure in the sink, for the log. */
  lastError: unknown;
  readonly #source: BatchSource;
  readonly #cursor: LiveEvent;
  readonly #feed: ProcessFeed;

  /** `cursor` must read the rows of `source`. */
  constructor(source: BatchSource, cursor: LiveEvent, feed: ProcessFeed) {
    this.#source = source;
    this.#cursor = cursor;
    this.#feed = feed;
  }

  /**
   * Calls `sink` for each of the first `count` records, in order; `index` is the record's place in the
   * rows. Never throws: one event that cannot be handled must not cost the rest of its batch.
   */
  read(count: number, sink: (event: LiveEvent, index: number) => unknown): void {
    const event = this.#cursor;
    for (let index = 0; index < count; index++) {
      event.load(index);
      if (!event.known) {
        this.counters.events_unknown++;
        continue;
      }
      try {
        this.#learn(event, index);
        sink(event, index);
      } catch (error) {
        this.counters.events_failed++;
        this.lastError = error;
      }
    }
  }

  #learn(event: LiveEvent, index: number): void {
    const kind = event.kind;
    if (kind === 'exec') this.#learnExec(event, index);
    else if (kind === 'fork') {
      this.#feed.fork(event.pid, event.startTick, event.comm, event.child ?? 0, event.childTick);
    } else if (kind === 'exit') this.#feed.exit(event.pid, event.startTick);
  }

  #learnExec(event: LiveEvent, index: number): void {
    const { rows, tail } = this.#source;
    const at = index * KG_ROW_WORDS + KG_EVENT_WORDS;
    const offset = rows[at] ?? 0;
    const length = rows[at + 1] ?? 0;
    const parsed = parseExecTail(tail.subarray(offset, offset + length));
    if (!parsed) this.counters.exec_tail_bad++;
    const { pid, startTick, comm, atNs } = event;
    this.#feed.exec(pid, startTick, comm, parsed?.path ?? '', parsed?.args ?? [], atNs);
  }
}

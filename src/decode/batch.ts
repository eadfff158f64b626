/** Walks one drained batch: tells the enricher of process life, then hands each event on. */
import { KG_EVENT_WORDS } from '../abi/generated.js';
import type { ProcessFeed } from '../model/enricher.js';
import { parseExecTail } from './exec-tail.js';
import type { LiveEvent } from './live-event.js';

export interface BatchSource {
  /** As the ring fills them: `words` of record i at `columns[word * capacity + i]`. */
  readonly columns: Uint32Array;
  readonly capacity: number;
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

  /** `cursor` must read the columns of `source`. */
  constructor(source: BatchSource, cursor: LiveEvent, feed: ProcessFeed) {
    this.#source = source;
    this.#cursor = cursor;
    this.#feed = feed;
  }

  /**
   * Calls `sink` for each of the first `count` records, in order; `index` is the record's place in the
   * columns. Never throws: one event that cannot be handled must not cost the rest of its batch.
   */
  read(count: number, sink: (event: LiveEvent, index: number) => void): void {
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
    const { columns, capacity, tail } = this.#source;
    const offset = columns[KG_EVENT_WORDS * capacity + index] ?? 0;
    const length = columns[(KG_EVENT_WORDS + 1) * capacity + index] ?? 0;
    const parsed = parseExecTail(tail.subarray(offset, offset + length));
    if (!parsed) this.counters.exec_tail_bad++;
    const { pid, startTick, comm, atNs } = event;
    this.#feed.exec(pid, startTick, comm, parsed?.path ?? '', parsed?.args ?? [], atNs);
  }
}

/** What comes in from the kernel: the two rings, the rows they are drained into, and who reads those. */
import { KG_EVENT_WORDS, KG_ROW_WORDS, KgEventRows } from '../abi/generated.js';
import { BatchReader } from '../decode/batch.js';
import { LiveEvent, type LiveEventDeps } from '../decode/live-event.js';
import type { ProcEnricher } from '../enrich/enricher.js';
import type { Native, RingHandle } from '../kernel/native.js';
import type { Sensor } from '../kernel/sensor.js';
import type { CursorFactory } from '../model/cursor.js';
import type { Pipeline } from '../pipeline.js';

/** Records handed over per call; a batch of them is 0.7 MiB of rows. */
const CAPACITY = 4096;
const TAIL_BYTES = CAPACITY * 512;
/** Telemetry follows its crossing by at most the kernel's wake interval; this waits for it. */
const EVIDENCE_MS = 20;

export class Intake {
  readonly rows = new Uint32Array(KG_ROW_WORDS * CAPACITY);
  readonly reader: BatchReader;
  /** A view of records kept in other rows. */
  readonly cursor: CursorFactory;
  readonly #tail = new Uint8Array(TAIL_BYTES);
  #evidenceTimer: NodeJS.Timeout | undefined;

  constructor(deps: LiveEventDeps & { readonly enricher: ProcEnricher }) {
    const eventOf = (rows: Uint32Array) => new LiveEvent(new KgEventRows(rows), deps);
    this.cursor = eventOf;
    const source = { rows: this.rows, tail: this.#tail };
    this.reader = new BatchReader(source, eventOf(this.rows), deps.enricher);
  }

  /** Opens the rings; `onCount` hears of each batch before `pipeline` takes it. */
  open(native: Native, sensor: Sensor, pipeline: Pipeline, onCount: (count: number) => void): RingHandle {
    const { crossings, events } = sensor.ringFds();
    const options = {
      words: KG_EVENT_WORDS,
      capacity: CAPACITY,
      rows: this.rows,
      tail: this.#tail,
      intervalMs: 1,
      idleTicks: 3,
    };
    const ring = native.ringOpen([crossings, events], options, (count) => {
      onCount(count);
      pipeline.batch(count);
      this.#awaitEvidence(pipeline);
    });
    native.closeFd(crossings);
    native.closeFd(events);
    return ring;
  }

  /** No evidence is waited for any longer. */
  stop(): void {
    clearTimeout(this.#evidenceTimer);
  }

  #awaitEvidence(pipeline: Pipeline): void {
    if (!pipeline.hasPending || this.#evidenceTimer !== undefined) return;
    this.#evidenceTimer = setTimeout(() => {
      this.#evidenceTimer = undefined;
      pipeline.completeFindings();
    }, EVIDENCE_MS);
  }
}

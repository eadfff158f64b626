/** The production way out of a ring: the addon's rows, and the events decoded from them. */
import { KG_EVENT_WORDS, KG_ROW_WORDS, KgEventRows } from '../../src/abi/generated.js';
import { BatchReader } from '../../src/decode/batch.js';
import { LiveEvent } from '../../src/decode/live-event.js';
import { native } from '../../src/kernel/native.js';
import type { Enricher, ProcessFeed } from '../../src/model/enricher.js';

/** As the agent has it. */
const CAPACITY = 4096;

export interface Drain {
  /** Hands over all that is in the ring; the sum of five fields of each record. */
  readonly drain: () => number;
  readonly close: () => void;
}

const open = (
  ring: number,
  make: (rows: Uint32Array, tail: Uint8Array) => (count: number) => number,
): Drain => {
  const rows = new Uint32Array(KG_ROW_WORDS * CAPACITY);
  const tail = new Uint8Array(CAPACITY * 512);
  const batch = make(rows, tail);
  let sum = 0;
  const options = { words: KG_EVENT_WORDS, capacity: CAPACITY, rows, tail, intervalMs: 1, idleTicks: 3 };
  const handle = native().ringOpen([ring], options, (count) => {
    sum += batch(count);
  });
  return {
    drain: () => {
      sum = 0;
      native().ringDrain(handle);
      return sum;
    },
    close: () => native().ringClose(handle),
  };
};

/** One call a batch; fields are read where the addon put them. */
export const decodedRows = (ring: number): Drain =>
  open(ring, (rows) => {
    const events = new KgEventRows(rows);
    return (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) {
        sum += events.at_ns(i) + events.cgroup(i) + events.tgid(i) + events.kind(i) + events.dport(i);
      }
      return sum;
    };
  });

const NOBODY: Enricher & ProcessFeed = {
  process: () => ({ comm: '', exe: '', cmdline: '' }),
  nameOf: () => '',
  cgroup: () => ({ path: '', unit: undefined, container: undefined }),
  user: () => undefined,
  exec: () => {},
  fork: () => {},
  exit: () => {},
};

/** The same with the reader and the cursor every stage behind them sees. */
export const decodedEvents = (ring: number): Drain =>
  open(ring, (rows, tail) => {
    const raw = new KgEventRows(rows);
    const deps = { enricher: NOBODY, clock: { wall: () => '' }, lost: () => 0 };
    const reader = new BatchReader({ rows, tail }, new LiveEvent(raw, deps), NOBODY);
    return (count) => {
      let sum = 0;
      // What only strings or keys are made of is read raw here too: those are made for few events.
      reader.read(count, (event, i) => {
        sum += event.atNs + raw.cgroup(i) + event.pid + (event.kind === 'connect' ? 1 : 0) + raw.dport(i);
      });
      return sum;
    };
  });

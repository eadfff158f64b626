/** From the ring to JavaScript against C on the same ring, the same records, in one process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodedEvents, decodedRows } from './handover/drains.js';
import type { BenchOptions, BenchResult } from './lib/bench.js';
import { addon, bpfObject } from './lib/build.js';
import { inTurn } from './lib/order.js';
import { requireRoot } from './lib/root.js';

export const summary = 'hand-over of records from the ring to JavaScript against a C drain of the same ring';

const ROUNDS = 60;
const WARM_UP = 8;
/** Runs of the program that fills the ring, and what each writes. */
const RUNS = 40;
const RECORDS = RUNS * 1000;

/** fill.bpf.c adds 0..999 to three of the five fields that are read. */
const SUM = RUNS * (3 * 499_500 + 1000 * (1e9 + 4242 + 1));
const C = 'C drain';
const ROWS = 'rows in JavaScript';
const EVENTS = 'events in JavaScript';

interface Ceiling {
  open(path: string): number;
  fill(runs: number): void;
  drainOwn(): number;
  drainLibbpf(): number;
  close(): void;
}

const here = (name: string): string => fileURLToPath(new URL(`handover/${name}`, import.meta.url));

interface Side {
  readonly name: string;
  readonly drain: () => number;
  readonly samples: number[];
}

/** Takes turns at full rings; returns every sum that was read: one, when all sides read the same. */
const race = async (ceiling: Ceiling, sides: readonly Side[], rounds: number): Promise<Set<number>> => {
  const sums = new Set<number>();
  for (let round = -WARM_UP; round < rounds; round++) {
    await inTurn(sides.length, round + WARM_UP, (index) => {
      const side = sides[index] as Side;
      ceiling.fill(RUNS);
      const begun = process.hrtime.bigint();
      const sum = side.drain();
      const ns = Number(process.hrtime.bigint() - begun);
      sums.add(sum);
      if (round >= 0) side.samples.push(ns / RECORDS);
    });
  }
  return sums;
};

const measure = async (ceiling: Ceiling, ring: number, rounds: number): Promise<BenchResult> => {
  const hands = [decodedRows(ring), decodedEvents(ring)] as const;
  const named = [
    [C, () => ceiling.drainOwn()],
    ['libbpf with a callback', () => ceiling.drainLibbpf()],
    [ROWS, hands[0].drain],
    [EVENTS, hands[1].drain],
  ] as const;
  const sides = named.map(([name, drain]) => ({ name, drain, samples: [] as number[] }));
  try {
    const sums = await race(ceiling, sides, rounds);
    return {
      series: sides.map(({ name, samples }) => ({ name, samples, unit: 'ns/event' })),
      ratios: [
        { of: ROWS, to: C, most: 1.3 },
        { of: EVENTS, to: C },
      ],
      counts: [
        { name: 'different sums of what was read', value: sums.size, exactly: 1 },
        { name: 'sum', value: [...sums][0] ?? 0, exactly: SUM },
      ],
      notes: [],
    };
  } finally {
    for (const hand of hands) hand.close();
  }
};

export const run = async ({ rounds = ROUNDS, say }: BenchOptions): Promise<BenchResult> => {
  requireRoot('it loads a BPF program that fills a ring');
  say(`${rounds} rounds of ${RECORDS} records for each side ...`);
  const folder = mkdtempSync(join(tmpdir(), 'kerngate-bench-'));
  try {
    const ceiling = createRequire(import.meta.url)(addon(here('drain.c'), folder)) as Ceiling;
    const ring = ceiling.open(bpfObject(here('fill.bpf.c'), folder));
    try {
      return await measure(ceiling, ring, rounds);
    } finally {
      ceiling.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
};

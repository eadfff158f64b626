/** The window table against what else one would take: speed, bytes a key, and the same alarms. */
import { type Layout, LIMIT, lruArrays, naiveList, windowTable } from './detectors/layouts.js';
import { Stream } from './detectors/stream.js';
import type { BenchOptions, BenchResult } from './lib/bench.js';
import { inTurn } from './lib/order.js';

export const summary = 'exact windows over 1 k to 1 M keys: ours, lru-cache with arrays, plain lists';

const ROUNDS = 9;
const SIZES = [1_000, 100_000, 1_000_000] as const;
const TINY = 10_000;
const EVENTS = 1_000_000;
const LAYOUTS = [
  ['window table', windowTable],
  ['lru-cache', lruArrays],
  ['plain lists', naiveList],
] as const;
/** A key's own words, and one stamp for each event that may pass. */
const BYTES_MOST = 32 + 8 * LIMIT;

const label = (keys: number): string => (keys < 1e6 ? `${keys / 1e3} k` : `${keys / 1e6} M`);

/** Bytes the process took for what `make` made, in and out of the heap. Needs `--expose-gc`. */
const bytesOf = <T>(make: () => T): { made: T; bytes: number } => {
  const taken = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = taken();
  const made = make();
  return { made, bytes: taken() - before };
};

interface Side {
  readonly name: string;
  readonly layout: Layout;
  readonly bytes: number;
  readonly samples: number[];
  alarms: number;
}

const compare = async (keys: number, rounds: number, events: number): Promise<Side[]> => {
  const stream = new Stream(keys);
  const first = stream.first();
  const sides: Side[] = LAYOUTS.map(([name, make]) => {
    const { made, bytes } = bytesOf(() => {
      const layout = make(keys);
      layout(first);
      return layout;
    });
    return { name, layout: made, bytes, samples: [], alarms: 0 };
  });
  // The first two rounds are for the compiler.
  for (let round = -2; round < rounds; round++) {
    const stretch = stream.next(events);
    await inTurn(sides.length, round + 2, (index) => {
      const side = sides[index] as Side;
      const begun = performance.now();
      side.alarms += side.layout(stretch);
      const ms = performance.now() - begun;
      if (round >= 0) side.samples.push(events / 1e3 / ms);
    });
  }
  return sides;
};

/** The rows of one size. Ours carries the goals, at the largest. */
const rowsOf = (keys: number, sides: readonly Side[]): Pick<BenchResult, 'series' | 'ratios' | 'counts'> => {
  const [ours, ...others] = sides.map((side) => ({ ...side, title: `${side.name}, ${label(keys)} keys` }));
  if (ours === undefined) throw new Error('nothing to compare');
  const all = [ours, ...others];
  const goal = <T>(title: string, limits: T): T | undefined =>
    title === ours.title && keys === SIZES[2] ? limits : undefined;
  return {
    series: all.map(({ title, samples }) => ({
      name: title,
      unit: 'M events/s',
      samples,
      ...goal(title, { least: 5 }),
    })),
    ratios: others.map(({ title }) => ({ of: ours.title, to: title })),
    counts: [
      ...all.map(({ title, bytes }) => ({
        name: `bytes a key, ${title}`,
        value: bytes / keys,
        ...goal(title, { most: BYTES_MOST }),
      })),
      { name: `alarms, ${ours.title}`, value: ours.alarms },
      ...others.map(({ title, alarms }) => ({
        name: `alarms, ${title}`,
        value: alarms,
        exactly: ours.alarms,
      })),
    ],
  };
};

export const run = async ({ rounds = ROUNDS, tiny, say }: BenchOptions): Promise<BenchResult> => {
  const rows = [];
  const events = tiny ? TINY : EVENTS;
  for (const keys of tiny ? SIZES.slice(0, 1) : SIZES) {
    say(`${label(keys)} keys, ${rounds} rounds of ${events} events ...`);
    rows.push(rowsOf(keys, await compare(keys, rounds, events)));
  }
  return {
    series: rows.flatMap(({ series }) => series),
    ratios: rows.flatMap(({ ratios }) => ratios),
    counts: rows.flatMap(({ counts }) => counts),
    notes: [],
  };
};

/** The window table against what else one would take: speed, bytes a key, and the same alarms. */
import { type Layout, LIMIT, lruArrays, naiveList, windowTable } from './detectors/layouts.js';
import { Stream } from './detectors/stream.js';
import type { BenchOptions, BenchResult, Count, Ratio, Series } from './lib/bench.js';
import { inTurn } from './lib/order.js';

export const summary = 'exact windows over 1 k to 1 M keys: ours, lru-cache with arrays, plain lists';

const ROUNDS = 9;
const SIZES = [1_000, 100_000, 1_000_000] as const;
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

const compare = async (keys: number, rounds: number): Promise<Side[]> => {
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
    const stretch = stream.next(EVENTS);
    await inTurn(sides.length, round + 2, (index) => {
      const side = sides[index] as Side;
      const begun = performance.now();
      side.alarms += side.layout(stretch);
      const ms = performance.now() - begun;
      if (round >= 0) side.samples.push(EVENTS / 1e3 / ms);
    });
  }
  return sides;
};

export const run = async ({ rounds = ROUNDS, say }: BenchOptions): Promise<BenchResult> => {
  const series: Series[] = [];
  const ratios: Ratio[] = [];
  const counts: Count[] = [];
  for (const keys of SIZES) {
    say(`${label(keys)} keys, ${rounds} rounds of ${EVENTS} events ...`);
    const sides = await compare(keys, rounds);
    const named = (name: string): string => `${name}, ${label(keys)} keys`;
    const [ours, ...others] = sides as [Side, ...Side[]];
    for (const { name, samples } of sides) {
      const goal = name === ours.name && keys === 1e6 ? { least: 5 } : {};
      series.push({ name: named(name), unit: 'M events/s', samples, ...goal });
    }
    for (const { name } of others) ratios.push({ of: named(ours.name), to: named(name) });
    for (const { name, bytes } of sides) {
      const goal = name === ours.name && keys === 1e6 ? { most: BYTES_MOST } : {};
      counts.push({ name: `bytes a key, ${named(name)}`, value: bytes / keys, ...goal });
    }
    counts.push({ name: `alarms, ${named(ours.name)}`, value: ours.alarms });
    for (const { name, alarms } of others)
      counts.push({ name: `alarms, ${named(name)}`, value: alarms, exactly: ours.alarms });
  }
  return { series, ratios, counts, notes: [] };
};

/** Medians, quartiles, ratios round by round, and whether a goal was reached. */
import type { BenchResult, Count, Ratio, Series } from './bench.js';

/** A ceiling whose own quartiles lie further apart tells nothing about what is compared with it. */
const NOISE_MAX = 1.5;

export interface Quartiles {
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
}

export type Verdict = 'reached' | 'missed' | 'ceiling too noisy' | undefined;

export interface Row extends Quartiles {
  readonly name: string;
  readonly unit: string;
  readonly goal: string | undefined;
  readonly verdict: Verdict;
}

export interface CountRow {
  readonly name: string;
  readonly value: number;
  readonly goal: string | undefined;
  readonly verdict: 'reached' | 'missed' | 'wrong' | undefined;
}

export interface Evaluated {
  readonly rows: readonly Row[];
  readonly counts: readonly CountRow[];
  readonly notes: readonly string[];
  /** False when a count that admits one value only has another. */
  readonly sound: boolean;
}

/** Value at a share of the sorted samples, between neighbours in proportion. NaN without samples. */
const at = (sorted: readonly number[], share: number): number => {
  const place = (sorted.length - 1) * share;
  const low = sorted[Math.floor(place)] ?? Number.NaN;
  const high = sorted[Math.ceil(place)] ?? low;
  return low + (high - low) * (place - Math.floor(place));
};

export const quartiles = (samples: readonly number[]): Quartiles => {
  const sorted = [...samples].sort((a, b) => a - b);
  return { q1: at(sorted, 0.25), median: at(sorted, 0.5), q3: at(sorted, 0.75) };
};

interface Limits {
  readonly exactly?: number;
  readonly most?: number;
  readonly least?: number;
}

const goalOf = ({ exactly, most, least }: Limits): string | undefined => {
  if (exactly !== undefined) return `= ${exactly}`;
  if (most !== undefined) return `<= ${most}`;
  return least === undefined ? undefined : `>= ${least}`;
};

const holds = (value: number, { most, least }: Limits): boolean =>
  value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? Number.NEGATIVE_INFINITY);

const verdictOf = (value: number, limits: Limits, ceiling: Quartiles): Verdict => {
  if (goalOf(limits) === undefined) return undefined;
  if (!(ceiling.q3 / ceiling.q1 <= NOISE_MAX)) return 'ceiling too noisy';
  return holds(value, limits) ? 'reached' : 'missed';
};

const seriesRow = (series: Series): Row => {
  const own = quartiles(series.samples);
  return {
    name: series.name,
    unit: series.unit,
    ...own,
    goal: goalOf(series),
    verdict: verdictOf(own.median, series, own),
  };
};

/** Throws when a series is not there, or when the two have not been taken in the same rounds. */
const ratioRow = (ratio: Ratio, all: readonly Series[]): Row => {
  const [of, to] = [ratio.of, ratio.to].map((name) => all.find((series) => series.name === name)?.samples);
  if (of === undefined || to === undefined || of.length !== to.length)
    throw new Error(`${ratio.of} and ${ratio.to} are not two series of the same rounds`);
  const own = quartiles(of.map((value, round) => value / (to[round] ?? Number.NaN)));
  return {
    name: `${ratio.of} / ${ratio.to}`,
    unit: 'x',
    ...own,
    goal: goalOf(ratio),
    verdict: verdictOf(own.median, ratio, quartiles(to)),
  };
};

const countRow = (count: Count): CountRow => {
  const goal = goalOf(count);
  const row = { name: count.name, value: count.value, goal };
  if (count.exactly !== undefined)
    return { ...row, verdict: count.value === count.exactly ? 'reached' : 'wrong' };
  return {
    ...row,
    verdict: goal === undefined ? undefined : holds(count.value, count) ? 'reached' : 'missed',
  };
};

export const evaluate = ({ series, ratios, counts, notes }: BenchResult): Evaluated => {
  const countRows = counts.map(countRow);
  return {
    rows: [...series.map(seriesRow), ...ratios.map((ratio) => ratioRow(ratio, series))],
    counts: countRows,
    notes,
    sound: countRows.every(({ verdict }) => verdict !== 'wrong'),
  };
};

/** What a bench is: a file `bench/NAME.ts` that exports `summary` and `run`. */

export interface BenchOptions {
  /** Rounds asked for on the command line; each bench has a number of its own when absent. */
  readonly rounds: number | undefined;
  /** As little as shows that it works: for tests, which look at counts only. */
  readonly tiny?: boolean;
  /** A line for whoever waits; not part of the result. */
  readonly say: (line: string) => void;
}

/** One side of a comparison: sample i was taken in round i, right beside sample i of every other series. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly samples: readonly number[];
  /** Goals on the median itself. */
  readonly most?: number;
  readonly least?: number;
}

/** `of` over `to`, round by round; `to` is the ceiling, whose own noise decides whether there is a verdict. */
export interface Ratio {
  readonly of: string;
  readonly to: string;
  readonly most?: number;
  readonly least?: number;
}

/** A number that is what it is, however noisy the machine. */
export interface Count {
  readonly name: string;
  readonly value: number;
  /** The only right value: with any other the bench is broken, or what it tests is. */
  readonly exactly?: number;
  /** Goals that may be missed. */
  readonly most?: number;
  readonly least?: number;
}

export interface BenchResult {
  readonly series: readonly Series[];
  readonly ratios: readonly Ratio[];
  readonly counts: readonly Count[];
  /** What a reader of the figures must know. */
  readonly notes: readonly string[];
}

export interface Bench {
  readonly summary: string;
  run(options: BenchOptions): Promise<BenchResult>;
}

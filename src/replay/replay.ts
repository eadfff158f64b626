/** Runs a capture through one set of policies, or through two at once. */
import type { Captured } from '../capture/captured.js';
import type { CaptureHeader } from '../capture/format.js';
import { readCapture } from '../capture/read.js';
import type { Mode } from '../model/decision.js';
import type { Policy } from '../model/policy.js';
import { canonicalTime } from './clock.js';
import { Difference, type DifferenceLine, type Side } from './difference.js';
import type { Line } from './report.js';
import { Run, type RunCounts } from './run.js';

export interface ReplayOptions {
  /** `-` is the standard input. */
  readonly file: string;
  readonly isPartial: boolean;
  readonly mode: Mode;
  /** As placed, in the order of evaluation. */
  readonly policies: readonly Policy[];
  /** A second set, to compare denials with. */
  readonly against?: readonly Policy[];
}

interface Told {
  readonly type: 'summary';
  readonly mode: Mode;
  readonly host: string;
  readonly kernel: string;
  readonly events: number;
  /** Times of the first and the last event, RFC 3339. */
  readonly from?: string;
  readonly to?: string;
  /** False when the capture was cut short. */
  readonly complete: boolean;
  /** Events the capture does not have; absent when it does not say. */
  readonly lost?: number;
}

export type Summary = Told &
  (
    | RunCounts
    | {
        readonly first: RunCounts;
        readonly second: RunCounts;
        readonly difference: Readonly<Record<Side, number>>;
      }
  );

export type ReplayLine = Line | DifferenceLine;

/**
 * Calls `emit` for each finding and decision, in the order of the capture, or with a second set for
 * each difference; answers the summary. What comes out follows from the arguments and the bytes of the
 * file alone. Throws KerngateError as `readCapture` does.
 */
export const replayCapture = async (
  options: ReplayOptions,
  emit: (line: ReplayLine) => void,
): Promise<Summary & { readonly remark?: string }> => {
  const replay = new Replay(options, emit);
  const { events, end } = await readCapture(options.file, options.isPartial, {
    header: (header) => replay.begin(header),
    event: (event) => replay.event(event),
  });
  const told = { complete: end !== undefined, ...(end === undefined ? {} : { lost: end.lost }) };
  const remark = `the end line counts ${end?.events} events, but there are ${events}: the file was changed`;
  return { ...replay.finish(events, told), ...(end && end.events !== events ? { remark } : {}) };
};

class Replay {
  readonly #options: ReplayOptions;
  readonly #emit: (line: ReplayLine) => void;
  readonly #difference: Difference;
  #header: CaptureHeader | undefined;
  #runs: readonly Run[] = [];
  #from: string | undefined;
  #last: Captured | undefined;

  constructor(options: ReplayOptions, emit: (line: ReplayLine) => void) {
    this.#options = options;
    this.#emit = emit;
    this.#difference = new Difference(options.mode);
  }

  begin(header: CaptureHeader): void {
    const { policies, against, mode } = this.#options;
    this.#header = header;
    const sets = against === undefined ? [policies] : [policies, against];
    this.#runs = sets.map((set) => new Run({ policies: set, mode, header }));
  }

  event(event: Captured): void {
    this.#from ??= event.at;
    this.#last = event;
    const [first, second] = this.#runs;
    if (first === undefined) return;
    const lines = first.feed(event);
    if (second) this.#compare(event, first, second);
    else for (const line of lines) this.#emit(line);
  }

  finish(events: number, told: { complete: boolean; lost?: number }): Summary {
    const ends = this.#runs.map((run) => run.finish());
    const [first, second] = ends;
    if (first === undefined || this.#header === undefined) throw new Error('a capture without a header');
    if (second === undefined) for (const line of first.lines) this.#emit(line);
    else for (const line of this.#difference.lines()) this.#emit(line);
    const { host, kernel } = this.#header;
    const head = {
      type: 'summary',
      mode: this.#options.mode,
      host,
      kernel,
      events,
      ...this.#times(),
    } as const;
    if (second === undefined) return { ...head, ...told, ...first.counts };
    const difference = this.#difference.counts;
    return { ...head, ...told, first: first.counts, second: second.counts, difference };
  }

  #times(): { from?: string; to?: string } {
    if (this.#from === undefined || this.#last === undefined) return {};
    return { from: canonicalTime(this.#from), to: canonicalTime(this.#last.at) };
  }

  #compare(event: Captured, first: Run, second: Run): void {
    second.feed(event);
    if (!first.refusal && !second.refusal) return;
    this.#difference.attempt(canonicalTime(event.at), first.refusal, second.refusal);
  }
}

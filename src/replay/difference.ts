/** What two sets of policies deny of the same attempts: what only one would, and what both would. */
import type { Mode } from '../model/decision.js';
import { type Subject, subjectKey } from '../model/subject.js';
import type { Held } from './gate.js';

export type Side = 'first' | 'second' | 'both';

export interface DifferenceLine {
  readonly type: 'difference';
  /** Which set denies; `both`: the same attempts. */
  readonly denied_by: Side;
  readonly policy: string;
  /** `both`: the policy of the second set. */
  readonly against?: string;
  readonly subject: Subject;
  attempts: number;
  /** RFC 3339. */
  readonly first_at: string;
  last_at: string;
}

const SIDES: readonly Side[] = ['first', 'second', 'both'];

export class Difference {
  readonly counts: Record<Side, number> = { first: 0, second: 0, both: 0 };
  readonly #mode: Mode;
  readonly #rows = new Map<string, DifferenceLine>();

  /** In audit nothing is denied: then what would have been counts. */
  constructor(mode: Mode) {
    this.#mode = mode;
  }

  /** One attempt, made at `at`, and the decision each set met it with. */
  attempt(at: string, first: Held | undefined, second: Held | undefined): void {
    const one = this.#denial(first);
    const other = this.#denial(second);
    if (one && other) this.#add('both', at, one, other.entry.policy);
    else if (one) this.#add('first', at, one);
    else if (other) this.#add('second', at, other);
  }

  /** By side, policy and subject. */
  lines(): DifferenceLine[] {
    const keyed = [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1));
    return keyed.map(([, row]) => row);
  }

  #denial(held: Held | undefined): Held | undefined {
    return held && held.entry.mode === this.#mode ? held : undefined;
  }

  #add(side: Side, at: string, { entry }: Held, against?: string): void {
    this.counts[side]++;
    const key = [SIDES.indexOf(side), entry.policy, against ?? '', subjectKey(entry.subject)].join('\n');
    const row = this.#rows.get(key);
    if (row) {
      row.attempts++;
      row.last_at = at;
      return;
    }
    this.#rows.set(key, {
      type: 'difference',
      denied_by: side,
      policy: entry.policy,
      ...(against === undefined ? {} : { against }),
      subject: entry.subject,
      attempts: 1,
      first_at: at,
      last_at: at,
    });
  }
}

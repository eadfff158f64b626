/** What an enforcement backend is: it makes the world agree with the ledger, as often as it is asked. */
import type { DesiredEntry } from '../model/desired.js';
import type { Outcome } from '../model/outcome.js';

export interface Enforcer {
  readonly name: string;
  /**
   * Makes exactly these entries hold, those of its own kind out of all desired ones. Idempotent; repairs
   * what somebody else changed. Never throws: what could not be done is an outcome with an error.
   */
  apply(desired: readonly DesiredEntry[]): Outcome[];
}

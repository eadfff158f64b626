/** The filters of `kerngate events`. */
import type { EventKind, EventView } from '../model/event.js';

export interface Filter {
  readonly kind?: EventKind;
  readonly pid?: number;
  readonly policy?: string;
}

/** Name of the policy a rule hash belongs to, undefined when none in force has it. */
export type PolicyOfRule = (rule: string) => string | undefined;

/**
 * A predicate for `filter`. `policy` matches the events that met or crossed one of its verdicts; the
 * name is looked up per event, so a follower keeps his policy over a reload that changed its rule.
 */
export const matcher =
  (filter: Filter, policyOf: PolicyOfRule): ((event: EventView) => boolean) =>
  (event) =>
    (filter.kind === undefined || event.kind === filter.kind) &&
    (filter.pid === undefined || event.pid === filter.pid) &&
    (filter.policy === undefined || (event.rule !== undefined && policyOf(event.rule) === filter.policy));

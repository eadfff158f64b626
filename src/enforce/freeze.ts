/** `freeze`: cgroups that stand still while a decision is in force, and run again whatever happens. */
import { freeze, type Group, isFrozen, isToldToFreeze, thaw } from '../lib/freezer.js';
import type { LedgerEntry } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { Outcome } from '../model/outcome.js';
import type { Enforcer } from './enforcer.js';
import { type Frozen, forget, remember, remembered } from './frozen.js';
import { arm, disarm, isAlive, type Timer } from './thaw-timer.js';

/** The timer's patience beyond the end of the decision, for the agent to be first (s). */
const LATER = 5;
const SETTLE_TRIES = 150;
const SETTLE_MS = 20;

/** A freeze that only waits for its decision: the timers run already. */
export interface Plan {
  readonly groups: readonly { readonly group: Group; readonly timer: Timer }[];
}

/** Arms a timer for each group. Throws KerngateError when one cannot be, or is frozen by somebody else. */
export const prepare = async (
  state: string,
  groups: readonly Group[],
  forNs: number,
  mount: string,
  isOurs: (decision: string) => boolean,
): Promise<Plan> => {
  const known = remembered(state);
  for (const group of groups) {
    const own = known.find(({ id }) => id === group.id);
    if (isToldToFreeze(group) === false || (own && isOurs(own.decision))) continue;
    const who = own ? `decision ${own.decision}` : 'somebody else';
    throw new KerngateError(
      `will not freeze ${group.path}: ${who} froze it already, or it cannot be frozen`,
      {
        remedy: own ? `Lift that first: kerngate unblock ${own.decision}` : 'See its cgroup.freeze.',
      },
    );
  }
  const armed: Plan['groups'][number][] = [];
  try {
    for (const group of groups) {
      armed.push({ group, timer: await arm(group, Math.ceil(forNs / 1e9) + LATER, mount) });
    }
  } catch (error) {
    abandon({ groups: armed });
    throw error;
  }
  return { groups: armed };
};

/** Nothing was frozen. */
export const abandon = ({ groups }: Plan): void => {
  for (const { timer } of groups) disarm(timer);
};

/** Written down, then frozen. Throws KerngateError; then everything of the plan runs. */
export const carryOut = (
  state: string,
  { groups }: Plan,
  { id, subject }: Pick<LedgerEntry, 'id' | 'subject'>,
): void => {
  const before = remembered(state);
  for (const { group, timer } of groups) {
    const old = before.find((frozen) => frozen.id === group.id);
    try {
      if (!isAlive(timer)) throw new Error('the timer that would thaw it has ended');
      remember(state, { ...group, decision: id, subject, timer });
      freeze(group);
    } catch (cause) {
      for (const { group: one, timer: its } of groups) thawOne(state, { ...one, timer: its });
      throw new KerngateError(`cannot freeze ${group.path}: ${(cause as Error).message}`, { cause });
    }
    if (old) disarm(old.timer);
  }
};

/** Paths that do not stand still after a while: a task of theirs waits in the kernel where it cannot be stopped. */
export const unsettled = async ({ groups }: Plan): Promise<string[]> => {
  for (let attempt = 0; attempt < SETTLE_TRIES; attempt++) {
    if (groups.every(({ group }) => isFrozen(group))) return [];
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  }
  return groups.filter(({ group }) => !isFrozen(group)).map(({ group }) => group.path);
};

/** Thaws first; the timer goes last, when nothing is left for it to do. */
const thawOne = (state: string, frozen: Group & { readonly timer: Timer }): void => {
  thaw(frozen);
  forget(state, frozen);
  disarm(frozen.timer);
};

/** Thaws what kerngate froze, as far as `which` names it; works without an agent. Answers what could not be thawed. */
export const thawAll = (state: string, which: (decision: string) => boolean = () => true): string[] =>
  remembered(state)
    .filter(({ decision }) => which(decision))
    .flatMap((frozen) => {
      try {
        thawOne(state, frozen);
        return [];
      } catch (error) {
        return [`${frozen.path} stays frozen: ${(error as Error).message}`];
      }
    });

/**
 * Thaws what no decision in force wants frozen any longer. What should be frozen is never frozen anew: somebody may
 * have thawed it by hand. One whose timer was killed runs again at once, for nobody else would see to that.
 */
export const freezeEnforcer = (state: string, isWanted: (decision: string) => boolean): Enforcer => ({
  name: 'freeze',
  apply: () => remembered(state).flatMap((frozen) => applyOne(state, frozen, isWanted)),
});

const applyOne = (state: string, frozen: Frozen, isWanted: (decision: string) => boolean): Outcome[] => {
  const { subject, decision } = frozen;
  const hasTimer = isAlive(frozen.timer);
  if (hasTimer && isWanted(decision)) return [];
  try {
    thawOne(state, frozen);
    const error = 'the timer of its freeze was killed: it runs again';
    return hasTimer || !isWanted(decision)
      ? [{ subject, decision, did: 'removed' }]
      : [{ subject, decision, did: 'failed', error }];
  } catch (error) {
    return [{ subject, decision, did: 'failed', error: `it stays frozen: ${(error as Error).message}` }];
  }
};

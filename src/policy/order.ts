/** The order policies are evaluated in, and identities that stay apart. */
import type { Policy } from '../model/policy.js';
import { hashOf } from './hash.js';

/** By priority, highest first, then by name. */
export const inOrder = <P extends Pick<Policy, 'priority' | 'name'>>(policies: readonly P[]): P[] =>
  [...policies].sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));

/**
 * Policies that watch for the very same thing would share their windows, which are known by the
 * hash: the second and later ones get a hash of their own, by their place among the equal ones.
 * Order of the input is kept.
 */
export const separateTwins = (policies: readonly Policy[]): Policy[] => {
  const taken = new Set(policies.map(({ hash }) => hash));
  const seen = new Set<string>();
  const fresh = new Map<Policy, string>();
  for (const policy of inOrder(policies)) {
    if (seen.has(policy.hash)) fresh.set(policy, unused(policy.hash, taken));
    seen.add(policy.hash);
  }
  return policies.map((policy) => {
    const hash = fresh.get(policy);
    return hash === undefined ? policy : { ...policy, hash };
  });
};

const unused = (hash: string, taken: Set<string>): string => {
  let next = hash;
  for (let twin = 2; taken.has(next); twin++) next = hashOf([hash, twin]);
  taken.add(next);
  return next;
};

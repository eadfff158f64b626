/** Enforce mode: denies, and the protections that hold them back, as entries the hooks obey. */
import { KG_VERDICT_KIND } from '../abi/generated.js';
import type { Maps } from '../kernel/maps.js';
import type { DesiredEntry } from '../model/desired.js';
import type { Enforcer } from './enforcer.js';
import { reconcile } from './reconcile.js';
import type { HostView } from './targets.js';

const KINDS = new Set<number>([KG_VERDICT_KIND.DENY, KG_VERDICT_KIND.ALLOW]);

/**
 * An allowed address is never banned itself; it is no free way out for a blocked process, so the hooks
 * do not hear of it.
 */
const isForHooks = ({ verdict, subject }: DesiredEntry): boolean =>
  verdict !== 'allow' || (subject.kind !== 'destination' && subject.kind !== 'source');

const verdictOf = ({ verdict }: DesiredEntry): number | undefined => {
  if (verdict === 'allow') return KG_VERDICT_KIND.ALLOW;
  return verdict === 'deny' ? KG_VERDICT_KIND.DENY : undefined;
};

export const kernelEnforcer = (maps: Maps, host: HostView): Enforcer => ({
  name: 'kernel',
  apply: (desired) => reconcile(maps, host, desired.filter(isForHooks), verdictOf, KINDS),
});

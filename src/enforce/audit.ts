/** Audit mode: the same entries with another verdict, so the hooks count what they would have denied. */
import { KG_VERDICT_KIND } from '../abi/generated.js';
import type { Maps } from '../kernel/maps.js';
import type { DesiredEntry } from '../model/desired.js';
import type { Enforcer } from './enforcer.js';
import { reconcile } from './reconcile.js';
import type { HostView } from './targets.js';

const KINDS = new Set<number>([KG_VERDICT_KIND.AUDIT]);

const verdictOf = ({ verdict }: DesiredEntry): number | undefined =>
  verdict === 'audit' ? KG_VERDICT_KIND.AUDIT : undefined;

export const auditEnforcer = (maps: Maps, host: HostView): Enforcer => ({
  name: 'audit',
  apply: (desired) => reconcile(maps, host, desired, verdictOf, KINDS),
});

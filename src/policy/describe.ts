/** Says in a few words what a policy watches for and what follows, for tables. */
import { formatDuration } from '../lib/duration.js';
import type { Policy } from '../model/policy.js';

/** `each match`, or `more than 5 in 10s by process`; tiers are joined by `or`. */
export const describeDetect = ({ detect }: Pick<Policy, 'detect'>): string => {
  if (detect.type === 'rule') return 'each match';
  const what = detect.distinct === undefined ? '' : ` distinct ${detect.distinct}`;
  const tiers = detect.tiers.map(({ limit, withinNs }) => `${limit}${what} in ${formatDuration(withinNs)}`);
  return `more than ${tiers.join(' or ')} by ${detect.by}`;
};

/** `block process for 10m`, with what is special about it; `alert`; `allow`. */
export const describeThen = ({ then }: Pick<Policy, 'then'>): string => {
  if (then.allow) return 'allow';
  if (then.block === undefined) return 'alert';
  const parts = [`block ${then.block} for ${formatDuration(then.forNs)}`];
  if (then.deny !== 'new') parts.push(`deny ${then.deny}`);
  if (then.sever) parts.push('sever');
  if (then.escalate) parts.push(`×${then.escalate.factor} up to ${formatDuration(then.escalate.maxNs)}`);
  return parts.join(', ');
};

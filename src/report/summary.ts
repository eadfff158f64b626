/** What a finding says in one line: what was counted, how much of it, and against which limit. */
import { formatDuration } from '../lib/duration.js';
import type { Crossing } from '../model/crossing.js';
import type { EventView } from '../model/event.js';

/** `isShared`: one window stood for the whole cgroup. */
export const summaryOf = (crossing: Crossing, event: EventView, isShared: boolean): string => {
  const shared = isShared ? '; the map of windows is full, so the cgroup is counted as one' : '';
  return plainSummary(crossing, event) + shared;
};

const plainSummary = ({ policy, counted, tier, distinct }: Crossing, event: EventView): string => {
  const where = event.dstIp === undefined ? '' : ` to ${event.dstIp} port ${event.dstPort}`;
  if (policy.detect.type !== 'burst') return `${event.kind}${where}`;
  const { limit, withinNs } = tier ?? policy.detect.tiers[0] ?? { limit: 0, withinNs: 0 };
  const what = policy.detect.distinct === undefined ? 'events' : `distinct ${policy.detect.distinct}`;
  const count = distinct ?? limit + 1;
  const whose = policy.detect.by === 'process' ? '' : ` by ${counted.kind} ${counted.name}`;
  return `${count} ${what} (${policy.on.join(', ')}) in ${formatDuration(withinNs)}${whose}, limit ${limit}; last${where || ` ${event.kind}`}`;
};

/** A denial in words: which policy, what was counted, what was seen, how long it holds, how it is lifted. */
import { counted } from '../lib/counted.js';
import { formatDuration } from '../lib/duration.js';
import { sanitize } from '../lib/sanitize.js';
import type { Decision } from '../model/decision.js';
import type { Event } from '../model/event.js';
import type { Finding } from '../model/finding.js';

const clockTime = (at: string): string => at.slice(11, 23);

const seen = ({ at, kind, dst, verdict }: Event): string => {
  const where = dst === undefined ? '' : ` ${dst.ip}:${dst.port}`;
  return `${clockTime(at)}  ${kind}${where}  ${verdict === 'deny' ? 'refused' : 'passed'}`;
};

/** Rows of name and text; an empty name goes on with the one above. `nowMs`: milliseconds since 1970. */
export const why = (decision: Decision, finding: Finding, nowMs: number): [name: string, text: string][] => {
  const left = formatDuration(Math.round((Date.parse(decision.until) - nowMs) / 1000) * 1e9);
  const tactics = finding.attack.length === 0 ? '' : `, ${finding.attack.join(' ')}`;
  const rows: [string, string][] = [
    ['who', sanitize(decision.subject.name)],
    ['policy', `${sanitize(decision.policy)} (${finding.severity}${tactics})`],
    ['window', sanitize(finding.summary)],
    ...finding.evidence.map((event, index): [string, string] => [index === 0 ? 'evidence' : '', seen(event)]),
    [
      'lost',
      `${counted(finding.lost, 'event')}; the evidence is ${finding.lost === 0 ? 'complete' : 'not complete'}`,
    ],
    [
      'decided',
      `${decision.enforced_by === 'kernel' ? 'in the kernel, in the very call' : 'by the agent'}, level ${decision.level}`,
    ],
    ['refused', `${decision.hits} attempts so far`],
    ['ends', `${decision.until}, in ${left}, by itself`],
    ['lift', `kerngate unblock ${decision.id}`],
  ];
  return rows;
};

/** How the nouns of the model read in a table: subjects, endpoints, remaining time. */
import { formatDuration } from '../lib/duration.js';
import type { Column, Style } from '../lib/table.js';
import type { AllowEntry, Decision } from '../model/decision.js';
import type { Endpoint, Event } from '../model/event.js';
import type { Subject } from '../model/subject.js';

export const subjectText = (subject: Subject): string => `${subject.kind} ${subject.name || subject.id}`;

/** `ip:port`, `[v6]:port`. */
export const endpointText = (endpoint: Endpoint | undefined): string | undefined => {
  if (endpoint === undefined) return undefined;
  return endpoint.ip.includes(':') ? `[${endpoint.ip}]:${endpoint.port}` : `${endpoint.ip}:${endpoint.port}`;
};

/** Time from now to an RFC 3339 moment, as `9m50s`. */
export const remaining = (until: string): string =>
  formatDuration(Math.max(0, Date.parse(until) - Date.now()) * 1e6);

const modeStyle = (decision: Decision): Style => (decision.mode === 'enforce' ? 'red' : 'yellow');

/** What a decision does beside denying: open sockets it ended, those that stay, groups that stand still. */
const besides = ({ mode, severed, freeze }: Decision): string[] => {
  const counts = Object.entries(severed ?? {}).filter(([, count]) => typeof count === 'number' && count > 0);
  return [
    ...(counts.length === 0
      ? []
      : [`sockets: ${counts.map(([what, count]) => `${count} ${what}`).join(', ')}`]),
    ...(freeze && mode === 'enforce' ? ['frozen'] : []),
  ];
};

export const DECISION_COLUMNS: readonly Column<Decision>[] = [
  { head: 'ID', cell: (row) => row.id },
  { head: 'SUBJECT', cell: (row) => subjectText(row.subject), max: 60 },
  { head: 'MODE', cell: (row) => row.mode, style: modeStyle },
  { head: 'BY', cell: (row) => (row.by === 'operator' ? 'operator' : row.policy) },
  { head: 'WHERE', cell: (row) => `${row.enforced_by}/${row.level}` },
  { head: 'LEFT', cell: (row) => remaining(row.until), align: 'right' },
  { head: 'HITS', cell: (row) => row.hits, align: 'right' },
  { head: 'REASON', cell: (row) => [row.reason, ...besides(row)].join('; '), max: 80 },
];

export const ALLOW_COLUMNS: readonly Column<AllowEntry>[] = [
  { head: 'SUBJECT', cell: (row) => subjectText(row.subject), max: 60 },
  { head: 'BY', cell: (row) => row.by },
  {
    head: 'LEFT',
    cell: (row) => (row.until === undefined ? undefined : remaining(row.until)),
    align: 'right',
  },
  { head: 'REASON', cell: (row) => row.reason, max: 80 },
];

const verdictStyle = (event: Event): Style | undefined => {
  if (event.verdict === 'none') return undefined;
  return event.verdict === 'deny' ? 'red' : 'yellow';
};

/** Widths are set, so that a followed stream stays aligned. */
export const EVENT_COLUMNS: readonly Column<Event>[] = [
  { head: 'AT', cell: (row) => row.at, min: 24 },
  { head: 'KIND', cell: (row) => (row.way === undefined ? row.kind : `${row.kind} (${row.way})`), min: 12 },
  { head: 'PID', cell: (row) => row.pid, align: 'right', min: 7 },
  { head: 'COMM', cell: (row) => row.comm, min: 15 },
  { head: 'UID', cell: (row) => row.uid, align: 'right', min: 5 },
  { head: 'FROM', cell: (row) => endpointText(row.src), min: 21 },
  { head: 'TO', cell: (row) => endpointText(row.dst), min: 21 },
  { head: 'RESULT', cell: (row) => row.result, min: 12 },
  { head: 'VERDICT', cell: (row) => row.verdict, style: verdictStyle, min: 7 },
  { head: 'DECISION', cell: (row) => row.decision, min: 16 },
  { head: 'CGROUP', cell: (row) => row.unit ?? row.cgroup.path, max: 60 },
];

/** `kerngate findings`: what the detectors found. */
import { callAgent } from '../control/client.js';
import type { Column, Style } from '../lib/table.js';
import type { Finding } from '../model/finding.js';
import type { Command } from './command.js';
import { subjectText } from './show.js';

const severityStyle = ({ severity }: Finding): Style | undefined => {
  if (severity === 'critical' || severity === 'high') return 'red';
  return severity === 'medium' ? 'yellow' : undefined;
};

const COLUMNS: readonly Column<Finding>[] = [
  { head: 'AT', cell: (row) => row.at },
  { head: 'SEVERITY', cell: (row) => row.severity, style: severityStyle },
  { head: 'POLICY', cell: (row) => row.policy },
  { head: 'SUBJECT', cell: (row) => subjectText(row.subject), max: 60 },
  { head: 'ID', cell: (row) => row.id },
  { head: 'DECISION', cell: (row) => row.decision },
  { head: 'SUMMARY', cell: (row) => row.summary, max: 100 },
];

export const findingsCommand: Command = {
  name: 'findings',
  summary: 'Show what the detectors found, oldest first.',
  example: 'kerngate findings\nkerngate -o json findings | jq ".[].evidence"',
  run: async ({ paths, out }) => {
    out.list(await callAgent<Finding[]>(paths.socket, 'GET', '/v1/findings'), COLUMNS, 'no findings');
    return undefined;
  },
};

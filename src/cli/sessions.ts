/** `kerngate sessions`: the kernel's per-process session table. */
import type { SessionRow } from '../control/api.js';
import { callAgent } from '../control/client.js';
import type { Column } from '../lib/table.js';
import type { Command } from './command.js';

const COLUMNS: readonly Column<SessionRow>[] = [
  { head: 'PID', cell: (row) => row.pid, align: 'right' },
  { head: 'COMM', cell: (row) => row.comm },
  { head: 'UID', cell: (row) => row.uid, align: 'right' },
  { head: 'SESSION', cell: (row) => row.session ?? undefined, align: 'right' },
  { head: 'CONNECTS', cell: (row) => row.connects, align: 'right' },
  { head: 'SENDS', cell: (row) => row.sends, align: 'right' },
  {
    head: 'DENIED',
    cell: (row) => row.denied,
    align: 'right',
    style: (row) => (row.denied > 0 ? 'red' : undefined),
  },
  { head: 'AUDITED', cell: (row) => row.audited, align: 'right' },
  { head: 'AUTH', cell: (row) => `${row.auth_tries}/${row.auth_fails}/${row.auth_oks}`, align: 'right' },
  { head: 'LAST', cell: (row) => row.last },
  { head: 'ENDED', cell: (row) => row.ended },
  { head: 'EXE', cell: (row) => row.exe, max: 80 },
];

export const sessionsCommand: Command = {
  name: 'sessions',
  summary: 'Show per process what the kernel counted (AUTH: tries/failures/successes).',
  example: 'kerngate sessions\nkerngate -o raw sessions | cut -f 1,7',
  run: async ({ paths, out }) => {
    out.list(await callAgent<SessionRow[]>(paths.socket, 'GET', '/v1/sessions'), COLUMNS, 'no sessions');
    return undefined;
  },
};

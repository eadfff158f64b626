/** `kerngate doctor`: what this kernel offers, by trial; what is missing and how to get it. */

import type { Column } from '../lib/table.js';
import { EXIT } from '../model/error.js';
import type { Command } from './command.js';

interface Check {
  readonly check: string;
  readonly state: 'ok' | 'missing' | 'note';
  readonly detail: string;
  readonly remedy?: string;
}

const COLUMNS: readonly Column<Check>[] = [
  { head: 'CHECK', cell: (row) => row.check },
  {
    head: 'STATE',
    cell: (row) => row.state,
    style: (row) => (row.state === 'ok' ? 'green' : row.state === 'missing' ? 'red' : 'yellow'),
  },
  { head: 'DETAIL', cell: (row) => row.detail },
  { head: 'REMEDY', cell: (row) => row.remedy ?? '' },
];

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Try out what this kernel offers; needs root, no running agent, and leaves nothing behind.',
  example: 'kerngate doctor',
  run: async ({ paths, out }) => {
    const { examine } = await import('../agent/doctor.js');
    const checks: Check[] = await examine(paths);
    out.list(checks, COLUMNS, 'nothing was checked');
    return checks.some(({ state }) => state === 'missing') ? EXIT.degraded : EXIT.ok;
  },
};

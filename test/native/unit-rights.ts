/** The words that start a command with the capabilities of packaging/kerngate.service but CAP_SYS_ADMIN, and no others. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const unit = fileURLToPath(new URL('../../packaging/kerngate.service', import.meta.url));
const bounds = /^CapabilityBoundingSet=(.+)$/m.exec(readFileSync(unit, 'utf8'))?.[1] ?? '';
const kept = bounds.split(' ').filter((name) => name !== 'CAP_SYS_ADMIN');
const set = ['-all', ...kept.map((name) => name.toLowerCase().replace('cap_', '+'))].join(',');

export const UNIT_RIGHTS = ['setpriv', '--no-new-privs', '--bounding-set', set] as const satisfies readonly [
  string,
  ...string[],
];

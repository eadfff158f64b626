/** Usage of scripts/vm: what it refuses before it fetches, starts or needs anything. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/lib/paths.js';

it.each([
  '',
  '6.1',
  '9.9 -- true',
  '-q 6.1 -- true',
  '-t abc 6.1 -- true',
  '-t 0 6.1 -- true',
  '-m 2G 6.1 -- true',
  '-c 0 6.1 -- true',
])('%j is exit 2, with the usage', (line) => {
  const args = line === '' ? [] : line.split(' ');
  const ran = spawnSync(join(PACKAGE_ROOT, 'scripts/vm'), args, { encoding: 'utf8', timeout: 10_000 });
  expect(ran.status).toBe(2);
  expect(ran.stderr).toContain('scripts/vm [-m MIB] [-c CPUS]');
});

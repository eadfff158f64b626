/** What the addon can read with the rights of a service unit that was not given CAP_SYS_ADMIN. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile, makeCgroup, pinPath, runUnder, tempFolder } from '../fixture.js';
import { UNIT_RIGHTS } from '../unit-rights.js';

const folder = tempFolder();
const object = compile(folder.path);
const pin = pinPath('rights');
let cgroup: ReturnType<typeof makeCgroup>;

beforeAll(() => {
  cgroup = makeCgroup('rights');
});
afterAll(() => {
  for (const path of [pin, `${pin}_prog`, `${pin}_other`]) rmSync(path, { force: true });
  cgroup.drop();
  folder.drop();
});

test('counts of a program are read through its own descriptor or its pin, and are unknown without', async () => {
  const [command, ...words] = UNIT_RIGHTS;
  const bare = execFileSync(command, [...words, 'cat', '/proc/self/status'], { encoding: 'utf8' });
  const caps = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(bare)?.[1]}`);
  expect([caps & (1n << 21n), caps & (1n << 39n)]).toEqual([0n, 1n << 39n]);
  const { code, out } = await runUnder(UNIT_RIGHTS, 'rights.cjs', object, cgroup.path, pin);
  expect(code, out).toBe(0);
  const strangers = [false, 'unknown'];
  expect(JSON.parse(out)).toEqual([0, [true, 0], strangers, strangers, [null, 'unknown']]);
});

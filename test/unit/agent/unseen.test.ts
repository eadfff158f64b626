/** Executables the hooks cannot tell are named, each with its cost and its remedy. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { unseenFiles } from '../../../src/agent/unseen.js';
import { fileIdOf, incomparable } from '../../../src/kernel/executable.js';
import { policyOf } from '../policy/policies.js';

const ABSENT = '/nowhere/at/all';
const room = mkdtempSync('/dev/shm/kerngate-unseen-');
const plain = join(room, 'program');
writeFileSync(plain, '');
afterAll(() => rmSync(room, { recursive: true }));

it('a file is comparable, on a file system where it is not, or absent', () => {
  expect([fileIdOf(plain) !== undefined, incomparable(plain)]).toEqual([true, undefined]);
  expect([fileIdOf('/proc/version'), incomparable('/proc/version')]).toEqual([undefined, 'proc']);
  expect([fileIdOf('/sys/kernel'), incomparable('/sys/kernel')]).toEqual([
    undefined,
    'a file system of type 0x62656572',
  ]);
  expect([fileIdOf(ABSENT), incomparable(ABSENT)]).toEqual([undefined, undefined]);
});

it('each name is told with what it costs and what helps; comparable and absent files are not', () => {
  const policies = [
    policyOf({ match: '{exe: [/proc/version, /nowhere/at/all]}' }, 'named'),
    policyOf({ match: '{exe: {not: /proc/uptime}}' }, 'but'),
    policyOf({}, 'plain'),
  ];
  const allow = ['/proc/cmdline', plain].map((id) => ({ subject: { kind: 'exe', id, name: id } as const }));
  const rows = unseenFiles({ launchers: ['/proc/stat', plain, ABSENT], policies, allow });
  expect(rows.map(({ detail }) => /^(?:launcher|policy|allow) \S+(?: \S+ lies)?/.exec(detail)?.[0])).toEqual([
    'launcher /proc/stat',
    'policy named: /proc/version lies',
    'policy but: /proc/uptime lies',
    'allow exe:/proc/cmdline',
  ]);
  for (const { detail, remedy } of rows) {
    expect(detail).toContain('lies on proc, where the hooks cannot tell');
    expect(remedy).toMatch(/\.$/);
  }
});

/** The counts of `npm test`: nothing that went wrong may be counted as nothing. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { tempFolder } from './fixture.js';

const script = fileURLToPath(new URL('../../scripts/lib/tally.mjs', import.meta.url));
const folder = tempFolder();
afterAll(folder.drop);

const tally = (files: { status: string; tests: string[] }[] | undefined, exitCode: number) => {
  const report = join(folder.path, 'report.json');
  const testResults = files?.map(({ status, tests }, i) => ({
    name: `/x/${i}.test.ts`,
    status,
    assertionResults: tests.map((result, n) => ({ status: result, fullName: `test ${n}` })),
  }));
  writeFileSync(report, JSON.stringify({ testResults }));
  return execFileSync(process.execPath, [script, report, String(exitCode)], { encoding: 'utf8' })
    .trim()
    .split('\n');
};

test.each([
  ['all passed', [{ status: 'passed', tests: ['passed', 'passed'] }], 0, '2 0 0'],
  ['one failed', [{ status: 'failed', tests: ['passed', 'failed'] }], 1, '1 1 0'],
  ['a file that does not load', [{ status: 'failed', tests: [] }], 1, '0 1 0'],
  ['an error outside of any test', [{ status: 'passed', tests: ['passed'] }], 1, '1 1 0'],
  ['a lane without tests', [], 0, '0 1 0'],
  ['no report', undefined, 1, '0 1 0'],
])('%s', (_name, files, exitCode, counts) => {
  expect(tally(files, exitCode)).toEqual([counts]);
});

test('skipped tests are named', () => {
  const [counts, ...names] = tally([{ status: 'passed', tests: ['passed', 'pending', 'todo'] }], 0);
  expect(counts).toBe('1 0 2');
  expect(names).toEqual([
    expect.stringMatching(/^skipped: .*0\.test\.ts > test 1: pending/),
    expect.stringMatching(/^skipped: .*0\.test\.ts > test 2: todo/),
  ]);
});

/** The table of kernels, levels and claims: nothing that was not shown may look as if it was. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { filesBelow, ROOT, read } from '../structure/tree.js';

interface Claim {
  readonly claim: string;
  readonly tests: readonly (readonly [string, RegExp])[];
  readonly not?: readonly { readonly why: string }[];
}
const { CLAIMS } = (await import(join(ROOT, 'scripts/lib/claims.mjs'))) as { CLAIMS: readonly Claim[] };

const folder = mkdtempSync(join(tmpdir(), 'kerngate-matrix-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Tests = Readonly<Record<string, readonly (readonly [title: string, status: string])[]>>;

const keep = (
  cell: string,
  tests: Tests | undefined,
  { code = 0, tree = 'a'.repeat(64), commit = 'c0ffee', form = 'full' } = {},
) => {
  const path = join(folder, cell);
  mkdirSync(path, { recursive: true });
  const testResults = Object.entries(tests ?? {}).map(([file, rows]) => ({
    name: `/somewhere/test/${file}`,
    status: rows.every(([, status]) => status === 'passed') && rows.length > 0 ? 'passed' : 'failed',
    assertionResults: rows.map(([fullName, status]) => ({ fullName, status })),
  }));
  if (tests) writeFileSync(join(path, 'report.json'), JSON.stringify({ testResults }));
  for (const [name, text] of Object.entries({ code, tree, commit, form, kernel: `${cell}-cloud` }))
    writeFileSync(join(path, name), `${text}\n`);
};

const table = (...cells: string[]): string =>
  execFileSync(process.execPath, ['scripts/lib/matrix.mjs', folder, ...cells], {
    cwd: ROOT,
    encoding: 'utf8',
  });

const row = (text: string, claim: number): string[] => {
  const line = text.split('\n').find((one) => one.startsWith(`| ${CLAIMS[claim]?.claim} |`)) ?? '';
  return line
    .split(' | ')
    .slice(1)
    .map((cell) => cell.replace(/ \|$/, ''));
};

describe('a cell', () => {
  const main = 'kernel/main-job.test.ts';
  keep('6.1-cgroup', {
    [main]: [
      ['one', 'passed'],
      ['two', 'passed'],
    ],
  });
  keep('5.10-cgroup', {
    [main]: [
      ['one', 'passed'],
      ['two', 'failed'],
    ],
  });
  keep('6.12-cgroup', { [main]: [] });
  keep('7.2-cgroup', undefined, { code: 1 });
  keep('7.2-lsm', {
    [main]: [
      ['one', 'passed'],
      ['two', 'skipped'],
    ],
  });
  const text = table('5.10/cgroup', '6.1/cgroup', '6.12/cgroup', '7.2/cgroup');

  it('counts what passed, and says what did not', () => {
    expect(row(text, 0)).toEqual([
      '**failed** (1 of 2)',
      'passed (2)',
      '**failed** (1 of 1)',
      'no report (exit code 1)',
    ]);
  });

  it('is no pass when a test was skipped, was not run or is not there', () => {
    expect(row(table('7.2/lsm'), 0)).toEqual(['**failed** (1 of 2)']);
    expect(row(table('6.1/lsm'), 0)).toEqual(['not run']);
    expect(row(text, 1)).toEqual(['no test', 'no test', 'no test', 'no report (exit code 1)']);
  });

  it('of a run of the core says how many of how many', () => {
    const rows = [['one', 'passed'] as const, ['two', 'skipped'] as const];
    keep('6.12-lsm', { [main]: rows }, { form: 'core' });
    keep(
      '5.10-lsm',
      {
        [main]: [
          ['one', 'failed'],
          ['two', 'skipped'],
        ],
      },
      { form: 'core' },
    );
    keep('6.12-fmod_ret', { [main]: [['two', 'skipped']] }, { form: 'core' });
    const core = table('6.12/lsm', '5.10/lsm', '6.12/fmod_ret');
    expect(row(core, 0)).toEqual(['passed (1 of 2)', '**failed** (1 of 1)']);
    expect(row(core.slice(core.indexOf('## Level `fmod_ret`')), 0)).toEqual(['not run', 'not run']);
    expect(row(core, 1)).toEqual(['not run', 'not run']);
  });
});

describe('the page', () => {
  it('is the same each time', () => {
    expect(table('6.1/cgroup')).toBe(table('6.1/cgroup'));
  });

  it('says of which tree the results are, of each when they differ', () => {
    expect(table('5.10/cgroup', '6.1/cgroup')).toContain('All results are of commit `c0ffee`');
    keep('6.1-fmod_ret', {}, { tree: 'b'.repeat(64), commit: 'beef' });
    const text = table('6.1/cgroup', '6.1/fmod_ret');
    expect(text).not.toContain('All results');
    expect(text).toContain(`| 6.1, fmod_ret | beef | ${'b'.repeat(12)} |`);
    expect(text).toContain(`| 6.1, cgroup | c0ffee | ${'a'.repeat(12)} |`);
  });
});

describe('every claim', () => {
  it.each(CLAIMS)('$claim: is shown by tests that are there', ({ tests }) => {
    for (const [file, title] of tests) {
      const files = filesBelow('test', /\.test\.ts$/).filter((path) => path.startsWith(`test/${file}`));
      expect(files.length).toBeGreaterThan(0);
      const names = files.flatMap((path) =>
        [...read(path).matchAll(/\b(?:it|test|describe)(?:\.each\([\s\S]*?\]\))?\(\s*['`]([^'`]+)/g)].map(
          ([, name = '']) => `${name} `,
        ),
      );
      expect(names.filter((name) => title.test(name))).not.toEqual([]);
    }
  });
});

/**
 * Makes docs/kernel-matrix.md of the kept results. Arguments: folder of the results, then the cells, `SERIES/LEVEL`.
 * A result is a folder `SERIES-LEVEL` with report.json (vitest), code, kernel, tree and commit. Prints Markdown.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CLAIMS } from './claims.mjs';

const line = (folder, name) =>
  existsSync(join(folder, name)) ? readFileSync(join(folder, name), 'utf8').trim() : '';

const read = (folder) => {
  try {
    return JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')).testResults;
  } catch {
    return undefined;
  }
};

/** What a cell's run left behind; undefined when it was not run. */
const resultOf = (results, cell) => {
  const [series, level] = cell.split('/');
  const folder = join(results, `${series}-${level}`);
  const code = line(folder, 'code');
  if (code === '') return undefined;
  return { code, files: read(folder), ...about(folder) };
};

const about = (folder) => ({
  kernel: line(folder, 'kernel'),
  tree: line(folder, 'tree'),
  commit: line(folder, 'commit'),
  form: line(folder, 'form'),
});

/** Tests of a claim in a report. A file that did not load has none, and counts as one that failed. */
const shown = (files, { tests }) =>
  tests.flatMap(([file, title]) =>
    files
      .filter(({ name }) => name.slice(name.lastIndexOf('/test/') + '/test/'.length).startsWith(file))
      .flatMap(({ assertionResults, status }) =>
        assertionResults.length === 0
          ? [status === 'failed' ? 'failed' : 'passed']
          : assertionResults.filter(({ fullName }) => title.test(fullName)).map((test) => test.status),
      ),
  );

/** What a run of the core did not choose. */
const LEFT_OUT = ['skipped', 'pending'];

/** One cell of the table. Exported for its test. */
export const cellOf = (claim, series, level, result) => {
  const without = claim.not?.find(
    (row) => (row.kernel ?? series) === series && (row.level ?? level) === level,
  );
  if (without) return `not applicable: ${without.why}`;
  if (result === undefined) return 'not run';
  if (result.files === undefined) return `no report (exit code ${result.code})`;
  const all = shown(result.files, claim);
  const run = result.form === 'core' ? all.filter((state) => !LEFT_OUT.includes(state)) : all;
  const passed = run.filter((state) => state === 'passed').length;
  if (all.length === 0) return result.form === 'core' ? 'not run' : 'no test';
  if (run.length === 0) return 'not run';
  const of = run.length === all.length ? '' : ` of ${all.length}`;
  return passed === run.length ? `passed (${passed}${of})` : `**failed** (${run.length - passed} of ${run.length})`;
};

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const levelPart = (level, series, results) => {
  const rows = CLAIMS.map((claim) => [
    claim.claim,
    ...series.map((one) => cellOf(claim, one, level, results.get(`${one}/${level}`))),
  ]);
  return `## Level \`${level}\`\n\n${table(['claim', ...series], rows)}\n`;
};

/** Which tree each result is of: one line when all are of the same. */
const origin = (results) => {
  const run = [...results].filter(([, result]) => result !== undefined);
  const texts = new Set(run.map(([, { tree, commit }]) => `commit \`${commit}\`, sources \`${tree.slice(0, 12)}\``));
  if (texts.size === 1) return `All results are of ${[...texts][0]}.\n`;
  const rows = run.map(([cell, { tree, commit }]) => [cell.replace('/', ', '), commit, tree.slice(0, 12)]);
  return `The results are of different states of the tree:\n\n${table(['cell', 'commit', 'sources'], rows)}\n`;
};

const page = (folder, cells) => {
  const results = new Map(cells.map((cell) => [cell, resultOf(folder, cell)]));
  const series = [...new Set(cells.map((cell) => cell.split('/')[0]))];
  const levels = [...new Set(cells.map((cell) => cell.split('/')[1]))];
  const kernels = series.map((one) => [
    one,
    [...results].find(([cell, result]) => cell.startsWith(`${one}/`) && result)?.[1].kernel ?? '',
  ]);
  return [
    '# What was shown on which kernel\n',
    'Written by `npm run test:matrix`; `docs/lanes.md` says how. A cell counts the tests that show the claim; `3 of 14` when the run was of its core.\n',
    origin(results),
    table(['series', 'kernel'], kernels),
    '',
    ...levels.map((level) => levelPart(level, series, results)),
  ].join('\n');
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...cells] = process.argv.slice(2);
  process.stdout.write(page(folder, cells));
}

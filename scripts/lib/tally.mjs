/** Counts a vitest JSON report. Arguments: file, exit code. Prints `PASSED FAILED SKIPPED`, then a line per skip. */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const SKIPPED = ['pending', 'skipped', 'todo', 'disabled'];

const read = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).testResults ?? [];
  } catch {
    return []; // the runner did not get as far as a report: its exit code speaks below
  }
};

const tally = (files, exitCode) => {
  const tests = files.flatMap(({ name, assertionResults }) => assertionResults.map((test) => ({ ...test, file: name })));
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const skipped = tests.filter(({ status }) => SKIPPED.includes(status));
  // A file that fails to load has no tests to its name; neither has an error outside of any test, nor an empty lane.
  const broken = files.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0);
  const failed = tests.filter(({ status }) => status === 'failed').length + broken.length;
  const none = passed + skipped.length === 0;
  return { passed, failed: failed === 0 && (exitCode !== 0 || none) ? 1 : failed, skipped };
};

const [file, exitCode] = process.argv.slice(2);
const { passed, failed, skipped } = tally(read(file), Number(exitCode));
console.log(passed, failed, skipped.length);
for (const test of skipped) {
  console.log(`skipped: ${relative('.', test.file)} > ${test.fullName}: ${test.status} in its own file`);
}

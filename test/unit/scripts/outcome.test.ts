/** When a run of `npm test` is good: a skip is a failure under CI, save kernels that the archive no longer has. */
import { expect, it } from 'vitest';
import { shell } from './shell.js';

const code = (words: readonly (string | number)[], CI?: string): number | null =>
  shell(['outcome', ...words.map(String)], { env: CI === undefined ? {} : { CI } }).code;

/** failed, without root, skipped, of them gone, kernels booted; then: good by hand, good under CI. */
it.each([
  [[0, 'no', 0, 0, 4], true, true],
  [[1, 'no', 0, 0, 4], false, false],
  [[0, 'yes', 2, 0, 0], false, false],
  [[0, 'no', 1, 0, 4], true, false],
  [[0, 'no', 1, 1, 3], true, true],
  [[0, 'no', 2, 2, 2], true, true],
  [[0, 'no', 3, 3, 1], true, false],
  [[0, 'no', 4, 4, 0], true, false],
  [[0, 'no', 2, 1, 3], true, false],
  [[1, 'no', 1, 1, 3], false, false],
  [[0, 'no', 0, 0, 0], true, true],
] as const)('%j', (words, byHand, underCi) => {
  expect(code(words) === 0).toBe(byHand);
  expect(code(words, 'true') === 0).toBe(underCi);
});

/** One of a thing is not several. */
import { expect, it } from 'vitest';
import { counted } from '../../../src/lib/counted.js';

it('says one, none and many', () => {
  expect([0, 1, 2].map((count) => counted(count, 'block'))).toEqual(['0 blocks', '1 block', '2 blocks']);
  expect([0, 1, 2].map((count) => counted(count, 'policy', 'policies'))).toEqual([
    '0 policies',
    '1 policy',
    '2 policies',
  ]);
});

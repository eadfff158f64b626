/** The nearest word: what a slip of the fingers meant, and nothing far-fetched. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from '../../../src/lib/levenshtein.js';

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['limit', 'limti', 1],
  ['detec', 'detect', 1],
  ['block', 'block', 0],
])('%s and %s are %d apart', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

test('distance is symmetric, zero only for equal words, and bounded by the longer word', () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});

test('one edit is one apart', () => {
  fc.assert(
    fc.property(word, fc.nat(8), fc.constantFrom('x', 'y'), (text, at, char) => {
      const where = Math.min(at, text.length);
      expect(editDistance(text, text.slice(0, where) + char + text.slice(where))).toBe(1);
    }),
  );
});

test('suggests the nearest, the first of equals, whatever the case', () => {
  expect(nearest('witin', ['limit', 'within', 'by'])).toBe('within');
  expect(nearest('Limit', ['limit'])).toBe('limit');
  expect(nearest('bat', ['cat', 'hat'])).toBe('cat');
});

test('suggests nothing for what is far from all', () => {
  expect(nearest('remote', ['dst.ip', 'comm'])).toBeUndefined();
  expect(nearest('x', ['by'])).toBeUndefined();
  expect(nearest('a'.repeat(10_000), ['a'.repeat(10_001)])).toBeUndefined();
});

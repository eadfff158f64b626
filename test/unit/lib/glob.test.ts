/** Globs: against regular expressions that mean the same, and never slow. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileGlob, isGlob, unescapeGlob } from '../../../src/lib/glob.js';

const matches = (pattern: string, text: string, path = false): boolean => {
  const test = compileGlob(pattern, { path });
  if (typeof test === 'string') throw new Error(test);
  return test(text);
};

test.each([
  ['/usr/bin/*', '/usr/bin/nc', true],
  ['/usr/bin/*', '/usr/bin/a/b', false],
  ['/usr/**', '/usr/bin/a/b', true],
  ['/**/nc', '/opt/x/nc', true],
  ['/usr/bin/?c', '/usr/bin/nc', true],
  ['/usr?bin', '/usr/bin', false],
  ['/a[!b]c', '/a/c', false],
  ['/a[x-z]', '/ay', true],
  ['/a\\*', '/a*', true],
  ['/a\\*', '/ab', false],
  ['*', '/a', false],
  ['', '', true],
])('path %s and %s', (pattern, text, result) => {
  expect(matches(pattern, text, true)).toBe(result);
});

test.each([
  ['curl *', 'curl http://a/b', true],
  ['*sh', 'bash', true],
  ['[]x]', ']', true],
  ['[^a]', 'b', true],
  ['a*b*c', 'a--b--c', true],
  ['a*b*c', 'a--c--b', false],
])('text %s and %s', (pattern, text, result) => {
  expect(matches(pattern, text)).toBe(result);
});

test.each(['[', 'a[b', '[!]', '\\', 'a\\', '[z-a]', 'a'.repeat(257)])(
  'refuses %j with a sentence',
  (pattern) => {
    expect(compileGlob(pattern, { path: false })).toBeTypeOf('string');
  },
);

const piece = fc.constantFrom('a', 'b', '/', '*', '**', '?', '[ab]', '[!a]');

/** What the pieces mean, as a regular expression. */
const REGEXP: Readonly<Record<string, string>> = {
  a: 'a',
  b: 'b',
  '/': '/',
  '*': '[^/]*',
  '**': '[^]*',
  '?': '[^/]',
  '[ab]': '[ab]',
  '[!a]': '[^a/]',
};

test('means what the regular expression means', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), text, (pieces, text) => {
      // Stars next to each other are one longer star: kept apart by this test, joined by the reader.
      fc.pre(!pieces.some((p, i) => p.startsWith('*') && pieces[i + 1]?.startsWith('*')));
      const expression = new RegExp(`^${pieces.map((p) => REGEXP[p]).join('')}$`);
      expect(matches(pieces.join(''), text, true)).toBe(expression.test(text));
    }),
    { numRuns: 2000 },
  );
});

test('many stars on a long text do bounded work', () => {
  const pattern = 'a*'.repeat(128);
  expect(matches(pattern, `${'a'.repeat(20_000)}`)).toBe(true);
  expect(matches(`${'a*'.repeat(100)}b`, 'a'.repeat(20_000))).toBe(false);
});

test('tells globs from texts, and reads escapes', () => {
  expect(['a', 'a\\*', '\\[', '\\\\'].map(isGlob)).toEqual([false, false, false, false]);
  expect(['*', 'a?', '[a]', '\\\\*'].map(isGlob)).toEqual([true, true, true, true]);
  expect(unescapeGlob('a\\*\\\\')).toBe('a*\\');
});

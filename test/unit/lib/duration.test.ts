/** Durations: what people write is read, what is printed is read back. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../../src/lib/duration.js';

test.each([
  ['500ms', 500e6],
  ['30s', 30e9],
  ['10m', 600e9],
  ['4h', 14_400e9],
  ['7d', 604_800e9],
  ['1h30m', 5_400e9],
  ['0s', 0],
  ['90s', 90e9],
])('%s', (text, ns) => {
  expect(parseDuration(text)).toBe(ns);
});

test.each(['', '10', '10 s', ' 10s', '-1s', '1.5h', '10S', 's', '1m1h', '1w', '9999999d', '1e3s', '10s\n'])(
  'refuses %j',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test.each([
  [0, '0s'],
  [-5e9, '0s'],
  [250e6, '250ms'],
  [1_500e6, '1500ms'],
  [90e9, '1m30s'],
  [571.4e9, '9m31s'],
  [9.9996e9, '10s'],
  [86_400e9 + 60e9, '1d1m'],
  [Number.POSITIVE_INFINITY, 'for ever'],
])('prints %d ns as %s', (ns, text) => {
  expect(formatDuration(ns)).toBe(text);
});

test('whole seconds survive printing and reading', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 36_500 * 86_400 }), (seconds) => {
      expect(parseDuration(formatDuration(seconds * 1e9))).toBe(seconds * 1e9);
    }),
  );
});

test('milliseconds below ten seconds survive too', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9_999 }), (ms) => {
      expect(parseDuration(formatDuration(ms * 1e6))).toBe(ms * 1e6);
    }),
  );
});

/** Ids that are derived, not drawn. */
import { expect, it } from 'vitest';
import { hexId, isHexId, ZERO_ID } from '../../../src/lib/hex-id.js';

it('derives the same 16 digits from the same parts, others from others', () => {
  expect(hexId('a', 1)).toBe(hexId('a', 1));
  expect(new Set([hexId('a', 1), hexId('a', '1'), hexId('a,1'), hexId('a'), hexId()]).size).toBe(5);
  expect(hexId('a')).toMatch(/^[0-9a-f]{16}$/);
});

it('knows an id from other text', () => {
  expect(isHexId(ZERO_ID)).toBe(true);
  for (const text of ['', 'ABCDEF0123456789', 'abcdef012345678', 'abcdef01234567890', 'abcdef012345678\n'])
    expect(isHexId(text)).toBe(false);
});

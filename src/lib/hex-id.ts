/** Ids of findings and decisions: 16 hexadecimal digits, derived from what they name. */
import { createHash } from 'node:crypto';

/** What stands where no decision or rule is meant: the operator's own, or an allow entry. */
export const ZERO_ID = '0'.repeat(16);

export const isHexId = (text: string): boolean => /^[0-9a-f]{16}$/.test(text);

/**
 * The same parts give the same id, so a replay names everything as the first run did. Parts are
 * joined by their JSON: `['a', 'b']` and `['a,b']` differ.
 */
export const hexId = (...parts: readonly (string | number)[]): string => {
  const id = createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
  return id === ZERO_ID ? hexId(...parts, 1) : id;
};

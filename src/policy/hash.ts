/** The identity of a rule: what it watches for, not what it is called or what it does. */
import { createHash } from 'node:crypto';

/**
 * 16 hexadecimal digits over a value of plain data: equal data, equal hash, whatever the order of
 * keys. Never all zeros, which stands for the operator.
 */
export const hashOf = (value: unknown): string => {
  const hash = createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 16);
  return /^0+$/.test(hash) ? '0000000000000001' : hash;
};

const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
};

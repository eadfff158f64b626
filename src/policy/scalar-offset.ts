/** Finds a character of a YAML scalar's value in the file, through quotes, folding and indentation. */
import type { Scalar } from 'yaml';

/**
 * Offset in `text` of character `index` of the scalar's value; undefined when the value was written
 * with escapes, so that its characters are not those of the file. YAML changes only white space
 * otherwise: the n-th other character of the value is the n-th of the source.
 */
export const offsetInScalar = (text: string, scalar: Scalar, index: number): number | undefined => {
  if (typeof scalar.value !== 'string' || !scalar.range) return undefined;
  const [start, end] = contentOf(text, scalar.range[0], scalar.range[1]);
  const source = text.slice(start, end);
  if (squeeze(source) !== squeeze(scalar.value)) return undefined;
  const nth = squeeze(scalar.value.slice(0, index)).length;
  return start + nthVisible(source, nth);
};

const squeeze = (text: string): string => text.replace(/\s+/g, '');

/** Without the quotes, or without the header line of a block. */
const contentOf = (text: string, start: number, end: number): [number, number] => {
  const mark = text[start];
  if (mark === '"' || mark === "'") return [start + 1, end - 1];
  if (mark !== '|' && mark !== '>') return [start, end];
  const newline = text.indexOf('\n', start);
  return [newline < 0 ? end : newline + 1, end];
};

const nthVisible = (text: string, nth: number): number => {
  let left = nth;
  for (let i = 0; i < text.length; i++) {
    if (/\s/.test(text.charAt(i))) continue;
    if (left === 0) return i;
    left--;
  }
  return text.trimEnd().length;
};

/** Ranges of ports and ids: joined, and turned inside out. */
import type { Range } from '../model/policy.js';
import type { Atom } from './values.js';

/** The ranges among the values, in order, those that touch joined. */
export const rangesOf = (atoms: readonly Atom[]): Range[] => {
  const ranges = atoms.flatMap((atom) => (atom.type === 'range' ? [atom.range] : []));
  const joined: Range[] = [];
  for (const range of ranges.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && range.from <= last.to + 1) {
      joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
    } else joined.push(range);
  }
  return joined;
};

/** The ports outside the ranges, which are in order and do not touch. */
export const complement = (ranges: readonly Range[]): Range[] => {
  const gaps: Range[] = [];
  let from = 0;
  for (const range of ranges) {
    if (range.from > from) gaps.push({ from, to: range.from - 1 });
    from = range.to + 1;
  }
  if (from <= 65_535) gaps.push({ from, to: 65_535 });
  return gaps;
};

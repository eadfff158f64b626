/** Finds the word a person most likely meant. */

/** Edits (insert, delete, replace, swap of neighbours) between two words; O(|a| · |b|). */
export const editDistance = (a: string, b: string): number => {
  let before: number[] = [];
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) row.push(cheapest({ a, b, i, j, row, last, before }));
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
};

interface Cell {
  readonly a: string;
  readonly b: string;
  readonly i: number;
  readonly j: number;
  readonly row: readonly number[];
  readonly last: readonly number[];
  readonly before: readonly number[];
}

const cheapest = ({ a, b, i, j, row, last, before }: Cell): number => {
  const same = a[i - 1] === b[j - 1];
  const best = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
  const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
  return swapped ? Math.min(best, at(before, j - 2) + 1) : best;
};

const at = (row: readonly number[], index: number): number => row[index] ?? Number.POSITIVE_INFINITY;

/**
 * The candidate nearest to `word`, ties to the first, or undefined when none is near enough to be
 * meant: more than a third of the letters (at least one, at most three) would have to change.
 */
export const nearest = (word: string, candidates: Iterable<string>): string | undefined => {
  // Longer words are no slip of a known one, and the cost is quadratic.
  if (word.length > 64) return undefined;
  const limit = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
};

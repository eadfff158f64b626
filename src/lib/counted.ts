/** A number with what it counts, as people say it. */

/** `1 block`, `2 blocks`, `0 policies`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

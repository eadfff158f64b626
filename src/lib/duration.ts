/** Durations as people write them (`30s 10m 4h 7d`), in nanoseconds. */

const UNITS = [
  ['d', 86_400e9],
  ['h', 3_600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
] as const;

/** Hundred years: longer is a slip, and sums with a boot time must stay finite. */
const MAX_NS = 36_500 * 86_400e9;

/** One or more numbers with a unit, largest unit first. */
export const DURATION =
  /^(?=\d)(?:(\d{1,12})d)?(?:(\d{1,12})h)?(?:(\d{1,12})m)?(?:(\d{1,12})s)?(?:(\d{1,12})ms)?$/;

/**
 * Nanoseconds of `30s`, `10m`, `4h`, `7d`, `500ms` or a descending row of them such as `1h30m`;
 * undefined when the text is no duration or longer than 36500 days. `0s` is a duration.
 */
export const parseDuration = (text: string): number | undefined => {
  const match = DURATION.exec(text);
  if (!match) return undefined;
  const ns = UNITS.reduce((sum, [, unit], i) => sum + Number(match[i + 1] ?? 0) * unit, 0);
  return ns <= MAX_NS ? ns : undefined;
};

/**
 * The text of a duration, largest unit first: `10m`, `1h30m`. From ten seconds on it is rounded to
 * whole seconds, below to whole milliseconds; negative counts as `0s`, an infinite one as `for ever`.
 */
export const formatDuration = (ns: number): string => {
  if (ns === Number.POSITIVE_INFINITY) return 'for ever';
  const grain = ns < 10e9 ? 1e6 : 1e9;
  let left = Math.max(0, Math.round(ns / grain) * grain);
  if (left > 0 && left < 10e9 && left % 1e9 !== 0) return `${Math.round(left / 1e6)}ms`;
  let text = '';
  for (const [name, unit] of UNITS) {
    const count = Math.floor(left / unit);
    if (count > 0) text += `${count}${name}`;
    left -= count * unit;
  }
  return text || '0s';
};

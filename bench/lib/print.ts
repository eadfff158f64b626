/** A bench's figures as people read them. */
import type { Evaluated, Verdict } from './stats.js';

/** Three significant digits below a thousand, whole numbers above. */
const figure = (value: number): string =>
  Math.abs(value) < 1000 ? String(Number(value.toPrecision(3))) : Math.round(value).toString();

const verdictText = (goal: string | undefined, verdict: Verdict | 'wrong'): string =>
  goal === undefined ? '' : `goal ${goal}: ${verdict}`;

const columns = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 || i > 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
};

/** Lines of a result; `load` is the load average before and after. */
export const lines = (result: Evaluated, load: readonly [number, number]): string[] => [
  ...columns([
    ['', 'median', 'q1', 'q3', 'unit', ''],
    ...result.rows.map(({ name, median, q1, q3, unit, goal, verdict }) => [
      name,
      figure(median),
      figure(q1),
      figure(q3),
      unit,
      verdictText(goal, verdict),
    ]),
    ...result.counts.map(({ name, value, goal, verdict }) => [
      name,
      figure(value),
      '',
      '',
      '',
      verdictText(goal, verdict),
    ]),
  ]),
  ...result.notes,
  `load average ${load.map((value) => value.toFixed(2)).join(' before, ')} after`,
];

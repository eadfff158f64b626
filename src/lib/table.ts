/** Prints rows as aligned columns for people, or tab separated for scripts. */
import { styleText } from 'node:util';
import { sanitize } from './sanitize.js';

export type Style = 'green' | 'yellow' | 'red' | 'bold' | 'dim';

export interface Column<T> {
  readonly head: string;
  readonly cell: (row: T) => string | number | undefined;
  readonly style?: (row: T) => Style | undefined;
  readonly align?: 'right';
  /** Longest text shown in a table; the rest becomes `…`. Raw output is never cut. */
  readonly max?: number;
  /** Least width: for streams, where later rows are not known yet. */
  readonly min?: number;
}

const GAP = '  ';
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
const MARK = /\p{Mark}/u;

const charWidth = (char: string): number => {
  if (char >= ' ' && char <= '~') return 1;
  if (MARK.test(char)) return 0;
  return WIDE.test(char) ? 2 : 1;
};

/** Columns a text takes on a terminal. */
export const displayWidth = (text: string): number =>
  [...text].reduce((width, char) => width + charWidth(char), 0);

const cut = (text: string, max: number): string => {
  if (displayWidth(text) <= max) return text;
  let width = 1;
  let kept = '';
  for (const char of text) {
    width += charWidth(char);
    if (width > max) break;
    kept += char;
  }
  return `${kept}…`;
};

/** Colours `text` when `color` holds. */
export const paint = (text: string, style: Style | undefined, color: boolean): string =>
  color && style !== undefined && text !== '' ? styleText(style, text, { validateStream: false }) : text;

const cellText = <T>(column: Column<T>, row: T): string => sanitize(String(column.cell(row) ?? ''));

const shownText = <T>(column: Column<T>, row: T): string => {
  const text = cellText(column, row);
  const shown = column.max === undefined ? text : cut(text, column.max);
  return shown === '' ? '-' : shown;
};

const pad = (text: string, width: number, align: 'right' | undefined): string => {
  const space = ' '.repeat(Math.max(0, width - displayWidth(text)));
  return align === 'right' ? space + text : text + space;
};

const joinRow = (cells: readonly string[]): string => cells.join(GAP).trimEnd();

const headRow = <T>(columns: readonly Column<T>[], widths: readonly number[]): string =>
  joinRow(columns.map((column, i) => pad(column.head, widths[i] ?? 0, column.align)));

const bodyRow = <T>(
  columns: readonly Column<T>[],
  widths: readonly number[],
  row: T,
  color: boolean,
): string => {
  const cells = columns.map((column, i) => {
    const padded = pad(shownText(column, row), widths[i] ?? 0, column.align);
    return paint(padded, column.style?.(row), color);
  });
  return joinRow(cells);
};

/** Header and rows, each ended by a line feed; no borders. Every cell is sanitized. */
export const formatTable = <T>(columns: readonly Column<T>[], rows: readonly T[], color: boolean): string => {
  const widths = columns.map((column) =>
    rows.reduce(
      (width, row) => Math.max(width, displayWidth(shownText(column, row))),
      Math.max(column.head.length, column.min ?? 0),
    ),
  );
  const lines = [headRow(columns, widths), ...rows.map((row) => bodyRow(columns, widths, row, color))];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
};

/** Header and row printer of a stream: widths are the columns' `min`, longer cells push the rest. */
export const formatStream = <T>(columns: readonly Column<T>[], color: boolean) => {
  const widths = columns.map((column) => Math.max(column.head.length, column.min ?? 0));
  return {
    head: `${headRow(columns, widths)}\n`,
    row: (row: T): string => `${bodyRow(columns, widths, row, color)}\n`,
  };
};

/** Tab separated, no header, sanitized (a cell therefore never holds a tab or a line feed). */
export const formatRaw = <T>(columns: readonly Column<T>[], rows: readonly T[]): string =>
  rows.map((row) => `${columns.map((column) => cellText(column, row)).join('\t')}\n`).join('');

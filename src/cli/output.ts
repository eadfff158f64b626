/** What a command prints, in the format the user chose; everything that goes to a terminal passes here. */
import { jsonText, sanitize, sanitizeLines } from '../lib/sanitize.js';
import { type Column, formatRaw, formatStream, formatTable, paint, type Style } from '../lib/table.js';

export const FORMATS = ['table', 'json', 'raw'] as const;
export type Format = (typeof FORMATS)[number];

export interface Sink {
  write(text: string): unknown;
}

/** One line of a record: name, value, and how to colour it. */
export type Field = readonly [name: string, value: string | number, style?: Style];

export interface Output {
  readonly format: Format;
  /** Rows as a table, as one JSON array, or tab separated. `empty` is said on stdout in table format. */
  list<T>(rows: readonly T[], columns: readonly Column<T>[], empty: string): void;
  /** One thing: `fields` for people, `value` as one JSON document. */
  record(value: unknown, fields: readonly Field[]): void;
  /** One sentence for people, `value` as JSON; raw prints `raw`, by default the sentence. */
  say(sentence: string, value: unknown, raw?: string): void;
  /** Rows that come one by one: the header now, JSON Lines, or tab separated. */
  stream<T>(columns: readonly Column<T>[]): (row: T) => void;
  /** Text as it is: JSON documents and files; the caller vouches for it. */
  verbatim(text: string): void;
  /** A remark on stderr, in every format. */
  note(text: string): void;
}

const recordText = (fields: readonly Field[], color: boolean): string => {
  const width = Math.max(...fields.map(([name]) => name.length));
  const lines = fields.map(([name, value, style]) => {
    const text = sanitize(String(value));
    return `${paint(name.padEnd(width), 'bold', color)}  ${paint(text === '' ? '-' : text, style, color)}`;
  });
  return `${lines.join('\n')}\n`;
};

const rawRecord = (fields: readonly Field[]): string =>
  fields.map(([name, value]) => `${name}\t${sanitize(String(value))}\n`).join('');

const streamOf = <T>(columns: readonly Column<T>[], format: Format, color: boolean, stdout: Sink) => {
  if (format === 'json') return (row: T) => void stdout.write(`${jsonText(row)}\n`);
  if (format === 'raw') return (row: T) => void stdout.write(formatRaw(columns, [row]));
  const printer = formatStream(columns, color);
  stdout.write(printer.head);
  return (row: T) => void stdout.write(printer.row(row));
};

/** Output in `format`; colours only when `color` holds. */
export const createOutput = (format: Format, color: boolean, stdout: Sink, stderr: Sink): Output => ({
  format,
  list: (rows, columns, empty) => {
    if (format === 'json') stdout.write(`${jsonText(rows)}\n`);
    else if (format === 'raw') stdout.write(formatRaw(columns, rows));
    else stdout.write(rows.length === 0 ? `${sanitize(empty)}\n` : formatTable(columns, rows, color));
  },
  record: (value, fields) => {
    if (format === 'json') stdout.write(`${jsonText(value)}\n`);
    else stdout.write(format === 'raw' ? rawRecord(fields) : recordText(fields, color));
  },
  say: (sentence, value, raw = sentence) => {
    if (format === 'json') stdout.write(`${jsonText(value)}\n`);
    else
      stdout.write(`${format === 'raw' ? raw.split('\t').map(sanitize).join('\t') : sanitize(sentence)}\n`);
  },
  stream: (columns) => streamOf(columns, format, color, stdout),
  verbatim: (text) => void stdout.write(text),
  note: (text) => void stderr.write(`${sanitizeLines(text)}\n`),
});

/** Colour is for a person at a terminal who did not decline it (https://no-color.org). */
export const wantsColor = (flag: boolean | undefined, env: NodeJS.ProcessEnv, isTty: boolean): boolean =>
  flag !== false && isTty && !env.NO_COLOR && env.TERM !== 'dumb';

/** Splits the journal's bytes into records; says what was damaged and where the last whole line ends. */
import { parseRecord } from './parse-record.js';
import type { JournalRecord } from './record.js';

export interface Lines {
  readonly records: JournalRecord[];
  /** Whole lines, damaged ones included. */
  readonly count: number;
  /** Bytes up to the end of the last whole line; what follows is a torn one. */
  readonly end: number;
  /** One per damaged line: its number, counted from 1, and what is wrong. */
  readonly damaged: { readonly line: number; readonly problem: string }[];
}

const NEWLINE = 0x0a;

/**
 * A record is on the disk when its newline is: a line without one is torn, even if it would parse.
 * `firstLine` is the number of the line the bytes begin with.
 */
export const readLines = (bytes: Buffer, firstLine = 1): Lines => {
  const lines = { records: [] as JournalRecord[], count: 0, end: 0, damaged: [] as Lines['damaged'] };
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, lines.end)) {
    const record = parseRecord(bytes.toString('utf8', lines.end, at));
    if ('problem' in record) lines.damaged.push({ line: firstLine + lines.count, problem: record.problem });
    else lines.records.push(record);
    lines.count++;
    lines.end = at + 1;
  }
  return lines;
};

/** JSON escapes every newline inside, so a record is one line. */
export const writeLine = (record: JournalRecord): string => `${JSON.stringify(record)}\n`;

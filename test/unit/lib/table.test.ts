/** Columns line up, whatever is in them. */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Column, displayWidth, formatRaw, formatStream, formatTable } from '../../../src/lib/table.js';

interface Row {
  readonly name: string;
  readonly count?: number;
}
const COLUMNS: readonly Column<Row>[] = [
  { head: 'NAME', cell: (row) => row.name, max: 12 },
  { head: 'COUNT', cell: (row) => row.count, align: 'right', style: () => 'red' },
];

describe('formatTable', () => {
  it('aligns, shows a dash for nothing, and cuts what is too long', () => {
    const rows = [{ name: 'a', count: 7 }, { name: 'a name too long for it', count: 12345 }, { name: '' }];
    expect(formatTable(COLUMNS, rows, false)).toBe(
      ['NAME          COUNT', 'a                 7', 'a name too …  12345', '-                 -', ''].join(
        '\n',
      ),
    );
  });

  it('colours cells only when asked to, and the text stays the same', () => {
    const rows = [{ name: 'x', count: 1 }];
    const plain = formatTable(COLUMNS, rows, false);
    const coloured = formatTable(COLUMNS, rows, true);
    expect(coloured).toContain('\u001b[31m');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect(plain).not.toContain('\u001b');
  });

  it('has one line for each row, all of which start their second column at the same place', () => {
    const columns: readonly Column<Row>[] = [
      { head: 'NAME', cell: (row) => row.name, max: 12 },
      { head: 'END', cell: () => '|' },
    ];
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 10 }), (names) => {
        const lines = formatTable(
          columns,
          names.map((name) => ({ name })),
          false,
        )
          .trimEnd()
          .split('\n');
        expect(lines).toHaveLength(names.length + 1);
        const ends = lines.slice(1).map((line) => displayWidth(line.slice(0, line.lastIndexOf('|'))));
        expect(new Set(ends).size).toBe(1);
      }),
    );
  });

  it('counts wide and combining characters as a terminal does', () => {
    expect(displayWidth('abc')).toBe(3);
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
  });
});

describe('formatStream', () => {
  it('keeps the least width of each column', () => {
    const printer = formatStream<Row>(
      [{ head: 'NAME', cell: (row) => row.name, min: 6 }, ...COLUMNS.slice(1)],
      false,
    );
    expect(printer.head).toBe('NAME    COUNT\n');
    expect(printer.row({ name: 'ab', count: 3 })).toBe('ab          3\n');
  });
});

describe('formatRaw', () => {
  it('gives back every cell between tabs', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ name: fc.string({ unit: 'binary' }), count: fc.nat() })), (rows) => {
        const text = formatRaw(COLUMNS, rows);
        const lines = text.split('\n').slice(0, -1);
        expect(lines).toHaveLength(rows.length);
        expect(lines.map((line) => line.split('\t')[1])).toEqual(rows.map((row) => String(row.count)));
      }),
    );
  });
});

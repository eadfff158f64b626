/** No text of a process can act on a terminal, and JSON stays exact. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText, sanitize, sanitizeLines } from '../../../src/lib/sanitize.js';

const HARMFUL = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u;
/** Random text, rich in what terminals act on. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001b[31m',
        '\u001b]0;title\u0007',
        '\u009b2J',
        '\u202e',
        '\u2066',
        '\u200b',
        '\u061c',
      ),
      fc.constantFrom('\r', '\n', '\t', '\0', '\u007f', '\u0085', '\ud800', '\u{e0041}', 'é', '日本'),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

describe('sanitize', () => {
  it('leaves nothing a terminal acts on', () => {
    fc.assert(fc.property(nasty, (text) => !HARMFUL.test(sanitize(text))));
  });

  it('changes nothing the second time, and nothing in plain text', () => {
    fc.assert(fc.property(nasty, (text) => sanitize(sanitize(text)) === sanitize(text)));
    expect(sanitize('naïve 日本 (pid 1) 100% [31m')).toBe('naïve 日本 (pid 1) 100% [31m');
  });

  it('removes formatting, and hides no letter of any other sequence', () => {
    expect(sanitize('\u001b[1;31mred\u001b[0m')).toBe('red');
    expect(sanitize('ls\u001b]0;evil\u0007')).toBe('ls]0;evil');
    expect(sanitize('exe\u202egpj.sh')).toBe('exegpj.sh');
    expect(sanitize('two\r\nlines\tand tab')).toBe('two lines and tab');
  });

  it('keeps the lines of our own messages', () => {
    expect(sanitizeLines('first\u001b[2J\n  second\r')).toBe('first\n  second ');
  });
});

describe('jsonText', () => {
  it('is exact JSON without a character a terminal acts on', () => {
    fc.assert(
      fc.property(fc.oneof(nasty, fc.jsonValue()), (value) => {
        const text = jsonText({ value });
        expect(text).not.toMatch(HARMFUL);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ value })));
      }),
    );
  });

  it('writes nothing as null', () => {
    expect(jsonText(undefined)).toBe('null');
  });
});

/** The three formats, and that nothing harmful passes any of them. */
import { describe, expect, it } from 'vitest';
import { createOutput, type Format, wantsColor } from '../../../src/cli/output.js';
import { DECISION_COLUMNS, EVENT_COLUMNS, remaining } from '../../../src/cli/show.js';
import { DECISION, makeEvent } from '../control/fake-api.js';

const capture = (format: Format) => {
  const text = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => ({
    write: (part: string) => {
      text[name] += part;
    },
  });
  return { text, out: createOutput(format, false, sink('out'), sink('err')) };
};

const evil = makeEvent(7, '\u001b[2Jsh\u202e\tx');

describe('lists', () => {
  it('is a table with a header, or says that there is nothing', () => {
    const { text, out } = capture('table');
    out.list([DECISION], DECISION_COLUMNS, 'nothing is blocked');
    out.list([], DECISION_COLUMNS, 'nothing is blocked');
    const [head, row, empty] = text.out.split('\n');
    expect(head).toMatch(/^ID\s+SUBJECT\s+MODE/);
    expect(row).toMatch(/^0123456789abcdef {2}process hydra \(pid 4242\)/);
    expect(empty).toBe('nothing is blocked');
  });

  it('is one JSON document, exact', () => {
    const { text, out } = capture('json');
    out.list([evil], EVENT_COLUMNS, 'no events');
    expect(JSON.parse(text.out)).toEqual([evil]);
    expect(text.out.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  });

  it('is tab separated without a header, and empty when empty', () => {
    const { text, out } = capture('raw');
    out.list([], EVENT_COLUMNS, 'no events');
    out.list([evil], EVENT_COLUMNS, 'no events');
    expect(text.out.split('\t').slice(1, 5)).toEqual(['connect', '7', 'sh x', '0']);
    expect(text.out.split('\t')).toHaveLength(EVENT_COLUMNS.length);
  });
});

describe('streams', () => {
  it('is JSON Lines', () => {
    const { text, out } = capture('json');
    const print = out.stream(EVENT_COLUMNS);
    print(evil);
    print(makeEvent(8));
    expect(
      text.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([evil, makeEvent(8)]);
  });

  it('prints its header at once', () => {
    const { text, out } = capture('table');
    const print = out.stream(EVENT_COLUMNS);
    expect(text.out).toMatch(/^AT +KIND +/);
    print(evil);
    expect(text.out.split('\n')[1]).toContain('sh x');
  });
});

describe('records and remarks', () => {
  it('aligns fields, and sanitizes them', () => {
    const { text, out } = capture('table');
    out.record({}, [
      ['mode', 'audit'],
      ['degraded', 'x\u001b[2J'],
    ]);
    expect(text.out).toBe('mode      audit\ndegraded  x\n');
  });

  it('says sentences on stdout and remarks on stderr', () => {
    const { text, out } = capture('json');
    out.say('done', { done: true });
    out.note('by the\u0007 way');
    expect(text).toEqual({ out: '{"done":true}\n', err: 'by the way\n' });
  });
});

describe('details', () => {
  it('shows remaining time', () => {
    expect(remaining(new Date(Date.now() + 590_400).toISOString())).toMatch(/^9m(50|49)s$/);
    expect(remaining('2020-01-01T00:00:00Z')).toBe('0s');
  });

  it('colours for people at a terminal alone', () => {
    expect(wantsColor(true, {}, true)).toBe(true);
    expect(wantsColor(true, {}, false)).toBe(false);
    expect(wantsColor(false, {}, true)).toBe(false);
    expect(wantsColor(true, { NO_COLOR: '1' }, true)).toBe(false);
    expect(wantsColor(true, { TERM: 'dumb' }, true)).toBe(false);
  });
});

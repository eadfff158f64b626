/** Captures as they may arrive: whole, cut, compressed, damaged; each fault names its line and what to do. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { captureText, eventAt, fileOf, HEADER, readAll } from './lines.js';

const EVENTS = [1, 2, 3].map((second) => eventAt(second));
const WHOLE = captureText(EVENTS);
const LINES = WHOLE.trimEnd().split('\n');
const [FIRST = '', ...REST] = LINES;
const LAST = LINES.at(-1) ?? '';

describe('a good capture', () => {
  it.each([
    ['as it is', WHOLE],
    ['with CRLF', WHOLE.replaceAll('\n', '\r\n')],
    ['with a byte order mark', `\uFEFF${WHOLE}`],
    ['without a last line feed', WHOLE.trimEnd()],
    ['with blank lines at its end', `${WHOLE}\n\n`],
    ['with unknown fields', captureText(EVENTS.map((event) => ({ ...event, colour: { of: ['sky'] } })))],
    [
      'with keys in another order',
      captureText(EVENTS.map((event) => Object.fromEntries(Object.entries(event).reverse()))),
    ],
    [
      'with blanks',
      [HEADER, ...EVENTS].map((line) => JSON.stringify(line, null, 1).replaceAll('\n', ' ')).join('\n') +
        `\n${LAST}\n`,
    ],
  ])('is read %s', async (_, text) => {
    const { events, error } = await readAll(fileOf(text));
    expect(error).toBeUndefined();
    expect(events).toMatchObject(EVENTS);
  });

  it('may be compressed, whatever its name', async () => {
    expect(await readAll(fileOf(gzipSync(WHOLE), 'capture'))).toEqual({ events: EVENTS });
  });

  it('may lack what is optional, and hold every character', async () => {
    const { user, unit, proto, dst, verdict, lost, ...bare } = eventAt(1, { comm: 'ü"\\\u001b[31m\u2028' });
    expect([user, unit, proto, dst, verdict, lost]).not.toContain(undefined);
    expect(await readAll(fileOf(captureText([bare])))).toEqual({ events: [bare] });
  });

  it('may be longer than what is read at a time, with lines of any length', async () => {
    const long = Array.from({ length: 3000 }, (_, at) =>
      eventAt(at, { cmdline: 'x'.repeat((at * 37) % 900) }),
    );
    expect((await readAll(fileOf(captureText(long)))).events).toEqual(long);
    expect((await readAll(fileOf(gzipSync(captureText(long))))).events).toEqual(long);
  });

  it('keeps events of the same moment, past what a double can tell apart', async () => {
    const late = ['18014398509481985', '18014398509481984'].map((boot_ns) => eventAt(1, { boot_ns }));
    expect((await readAll(fileOf(captureText(late)))).events).toEqual(late);
  });
});

const event = (given: object): string => captureText([{ ...eventAt(1), ...given }]);
const ORDER =
  'capture.jsonl:3: events are out of order: boot_ns 1000000000 is before that of the event above';

describe('a bad capture', () => {
  it.each([
    ['empty', '', '5 capture.jsonl: this is no capture: it is empty'],
    [
      'of NUL bytes',
      '\0'.repeat(64),
      '1 capture.jsonl: the capture is not complete: line 1 ends in the middle',
    ],
    [
      'another kind of file',
      '{"a": 1}\n',
      '5 capture.jsonl:1: this is no capture: the first line must be {"kerngate_capture": 1, …}',
    ],
    [
      'of a later version',
      '{"kerngate_capture":2}\n',
      '5 capture.jsonl:1: this capture has version 2; this kerngate reads version 1',
    ],
    ['no JSON', `${FIRST}\nnonsense\n${LAST}\n`, "5 capture.jsonl:2: this is no JSON: Unexpected token 'o'"],
    ['an array', `${FIRST}\n[]\n`, '5 capture.jsonl:2: each line must be a JSON object'],
    [
      'NUL in a line',
      `${FIRST}\n${'\0'.repeat(9)}\n${LAST}\n`,
      '5 capture.jsonl:2: this is no JSON: Unexpected token',
    ],
    ['a second header', `${FIRST}\n${FIRST}\n`, '5 capture.jsonl:2: kind: nothing is no kind of event'],
    [
      'an unknown kind',
      event({ kind: 'teleport' }),
      '5 capture.jsonl:2: kind: "teleport" is no kind of event',
    ],
    [
      'a number for a time',
      event({ boot_ns: 5 }),
      '5 capture.jsonl:2: boot_ns: must be nanoseconds as a decimal string',
    ],
    [
      'a negative start',
      event({ start: '-5' }),
      '5 capture.jsonl:2: start: must be nanoseconds as a decimal string',
    ],
    [
      'too many digits',
      event({ start: '9'.repeat(21) }),
      '5 capture.jsonl:2: start: must be nanoseconds as a decimal string',
    ],
    [
      'a day that is none',
      event({ at: '2026-13-01T00:00:00.000Z' }),
      '5 capture.jsonl:2: at: must be a time as RFC 3339 writes it',
    ],
    ['a pid out of range', event({ pid: 2 ** 31 }), '5 capture.jsonl:2: pid: must be a process id'],
    ['a broken pid', event({ pid: 1.5 }), '5 capture.jsonl:2: pid: must be a process id'],
    [
      'a port out of range',
      event({ dst: { ip: '192.0.2.1', port: 65_536 } }),
      '5 capture.jsonl:2: dst.port: must be from 0 to 65535',
    ],
    [
      'half an endpoint',
      event({ src: { ip: '192.0.2.1' } }),
      '5 capture.jsonl:2: src.port: must be from 0 to 65535',
    ],
    ['no cgroup', event({ cgroup: undefined }), '5 capture.jsonl:2: cgroup: must be {id, path}'],
    [
      'half an authentication',
      event({ auth: { service: 'sshd' } }),
      '5 capture.jsonl:2: auth: must be {service, user, rhost, method, outcome?}',
    ],
    [
      'a session as text',
      event({ session: '3' }),
      '5 capture.jsonl:2: session: must be an audit session id or null',
    ],
    ['out of order', captureText([eventAt(2), eventAt(1)]), `5 ${ORDER}`],
    ['data after its end', `${WHOLE}${REST[0]}\n`, '5 capture.jsonl:6: there is data after the end line'],
    ['two ends', `${WHOLE}${LAST}\n`, '5 capture.jsonl:6: there is data after the end line'],
    [
      'an end that is none',
      `${FIRST}\n{"kerngate_end":false}\n`,
      '5 capture.jsonl:2: kerngate_end must be true',
    ],
    [
      'an end without counts',
      `${FIRST}\n{"kerngate_end":true,"events":-1,"lost":0}\n`,
      '5 capture.jsonl:2: events of the last line must be a count',
    ],
    [
      'a huge line',
      `${FIRST}\n{"comm":"${'x'.repeat(2_000_000)}`,
      '5 capture.jsonl:2: this line has more than 1048576 bytes',
    ],
  ])('%s', async (_, text, wanted) => {
    const { error, remedy } = await readAll(fileOf(text));
    expect(error).toContain(wanted);
    expect(remedy).toMatch(/\.$|--partial/);
  });

  it('that is not there is not found', async () => {
    expect((await readAll('/nowhere/at.all')).error).toBe('3 at.all: there is no such file');
    expect((await readAll('/proc')).error).toMatch(/^1 \/proc: cannot be read: EISDIR/);
  });
});

describe('a capture that was cut', () => {
  const missing = '1 capture.jsonl: the capture is not complete: it has no end line';

  it('is refused unless partial, wherever it was cut', async () => {
    const end = WHOLE.lastIndexOf('{');
    for (let at = FIRST.length + 1; at < WHOLE.length - 1; at += 7) {
      const file = fileOf(WHOLE.slice(0, at));
      const whole = EVENTS.filter((_, i) => at >= LINES.slice(0, i + 2).join('\n').length);
      const inLine = WHOLE[at] !== '\n' && WHOLE[at - 1] !== '\n';
      const { error } = await readAll(file);
      expect(error).toMatch(inLine ? /^1 .*not complete: line \d ends in the middle/ : /^1 .*no end line/);
      expect(await readAll(file, true)).toEqual({ events: whole });
      if (at > end) expect(whole).toHaveLength(3);
    }
  });

  it('is taken with --partial when only the end line is missing', async () => {
    const file = fileOf(captureText(EVENTS, { end: false }));
    expect((await readAll(file)).error).toBe(missing);
    expect(await readAll(file, true)).toEqual({ events: EVENTS });
  });

  it.each([2, 5, 12])('says that a gzip file was cut before its first line, at byte %i', async (length) => {
    const file = fileOf(gzipSync(WHOLE).subarray(0, length), 'short.jsonl.gz');
    const { error } = await readAll(file);
    expect(error).toMatch(/^1 short\.jsonl\.gz: the capture is not complete: .* before the first line/);
  });

  it('gives all that a cut gzip file holds', async () => {
    const long = Array.from({ length: 500 }, (_, at) => eventAt(at, { pid: 1 + ((at * 7919) % 30_000) }));
    const packed = gzipSync(captureText(long));
    for (const share of [0.3, 0.6, 0.95]) {
      const file = fileOf(packed.subarray(0, Math.floor(packed.length * share)), 'cut.jsonl.gz');
      expect((await readAll(file)).error).toMatch(/^1 .*not complete/);
      const { events, error } = await readAll(file, true);
      expect(error).toBeUndefined();
      expect(events.length).toBeGreaterThan(500 * share * 0.5);
      expect(events).toEqual(long.slice(0, events.length));
    }
  });

  it('says that compressed data is damaged, and gives what came before with --partial', async () => {
    const long = Array.from({ length: 5000 }, (_, at) => eventAt(at, { pid: 1 + ((at * 7919) % 30_000) }));
    const packed = gzipSync(captureText(long));
    packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 0xff;
    const file = fileOf(packed, 'bad.jsonl.gz');
    expect((await readAll(file)).error).toMatch(/^5 bad.jsonl.gz: the compressed data is damaged/);
    const { events, error } = await readAll(file, true);
    expect(error).toBeUndefined();
    expect(events.length).toBeGreaterThan(2500);
    expect(events).toEqual(long.slice(0, events.length));
  });
});

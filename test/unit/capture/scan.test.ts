/** The fast reader against the JSON parser: what it takes is valid, and says what the parser says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Captured } from '../../../src/capture/captured.js';
import { eventFault } from '../../../src/capture/check-event.js';
import { Scanner } from '../../../src/capture/scan.js';
import { type CapturedEvent, JsonEvent } from '../../../src/model/json-event.js';
import { anyEvent, FULL, SHAPE } from './any-event.js';
import { eventAt } from './lines.js';

const scanned = (line: string): Captured | undefined => {
  const scanner = new Scanner();
  const bytes = Buffer.from(`..${line}\n{`);
  if (!scanner.scan(bytes, 2, bytes.length - 2)) return undefined;
  const event = new Captured();
  event.scanned(scanner, bytes, 2, bytes.length - 2, 0);
  return event;
};

const parsed = (event: CapturedEvent): Captured => {
  const captured = new Captured();
  captured.parsed(event);
  return captured;
};

const FIELDS = [
  ...['at', 'bootNs', 'atNs', 'kind', 'pid', 'startNs', 'startTick', 'ppid', 'session', 'uid', 'comm', 'exe'],
  ...['cmdline', 'cgroupId', 'cgroupPath', 'unit', 'container', 'user', 'proto', 'srcIp', 'srcPort', 'dstIp'],
  ...['dstPort', 'result', 'auth', 'untrusted', 'child', 'childTick', 'lost', 'lineage'],
] as const;

const said = (event: Captured) =>
  FIELDS.map((field) => [field, (event as unknown as Record<string, unknown>)[field]]);

describe('the check of an event', () => {
  it('agrees with its schema', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const value = JSON.parse(JSON.stringify(event));
        expect([eventFault(value) === undefined, value]).toEqual([SHAPE.safeParse(value).success, value]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the scanner', () => {
  it('takes what kerngate writes', () => {
    const missing = Object.keys(FULL).filter(
      (key) => !['user', 'cmdline', 'src', 'result', 'lineage'].includes(key),
    );
    for (const keys of [Object.keys(FULL), missing]) {
      const event = Object.fromEntries(Object.entries(FULL).filter(([key]) => keys.includes(key)));
      expect(scanned(JSON.stringify(event))).toBeDefined();
    }
  });

  it('takes nothing that is wrong, and says what the parser says', () => {
    let taken = 0;
    fc.assert(
      fc.property(anyEvent, (event) => {
        const line = JSON.stringify(event);
        const fast = scanned(line);
        if (fast === undefined) return;
        taken++;
        const value = JSON.parse(line) as CapturedEvent;
        expect(eventFault(value as never)).toBeUndefined();
        expect(said(fast)).toEqual(said(parsed(value)));
        expect(fast.whole()).toEqual(value);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('takes no line with a byte changed that the parser would refuse', () => {
    const line = JSON.stringify(FULL);
    const byte = fc.constantFrom(...Buffer.from('\0\t"\\{}[]:,0-9aZ \x7f'));
    fc.assert(
      fc.property(fc.nat(line.length - 1), byte, fc.constantFrom(0, 1, 2), (at, value, how) => {
        const bytes = Buffer.from(line, 'latin1');
        const cut = how === 0 ? [value] : how === 1 ? [] : [value, bytes[at] ?? 0];
        const changed = Buffer.concat([bytes.subarray(0, at), Buffer.from(cut), bytes.subarray(at + 1)]);
        const fast = scanned(changed.toString('latin1'));
        if (fast === undefined) return;
        const whole = JSON.parse(changed.toString('latin1')) as CapturedEvent;
        expect(eventFault(whole as never)).toBeUndefined();
        expect(said(fast)).toEqual(said(parsed(whole)));
      }),
      { numRuns: 4000 },
    );
  });

  it.each(['ü', '\u0080', '\u007f', '\t', '"', '\\', '\u2028'])(
    'leaves a text with %j to the parser',
    (text) => {
      for (const field of ['comm', 'exe', 'cmdline', 'unit', 'user', 'container'] as const) {
        expect(scanned(JSON.stringify({ ...FULL, [field]: `a${text}` }))).toBeUndefined();
      }
    },
  );

  it('leaves a field that comes twice to the parser', () => {
    const line = JSON.stringify(FULL);
    expect(scanned(`${line.slice(0, -1)},"pid":1}`)).toBeUndefined();
    expect(scanned(line.replace('"dst":{', '"dst":{"port":1,'))).toBeUndefined();
  });
});

describe('an event of a capture', () => {
  it('says what its JSON says, verdict and identity apart', () => {
    const plain = new JsonEvent(FULL);
    const event = parsed(FULL);
    const names = [
      'kind',
      'atNs',
      'pid',
      'startTick',
      'ppid',
      'session',
      'uid',
      'comm',
      'exe',
      'cmdline',
    ] as const;
    for (const name of names) expect(event[name]).toEqual(plain[name]);
    for (const name of ['cgroupId', 'unit', 'user', 'srcIp', 'dstPort', 'result', 'child', 'lost'] as const)
      expect(event[name]).toEqual(plain[name]);
  });

  it('forgets the EPERM of a captured deny, and no other result', () => {
    for (const event of [FULL, eventAt(1)].map((base) => ({
      ...base,
      verdict: 'deny' as const,
      result: 'EPERM',
    }))) {
      expect(parsed(event).result).toBeUndefined();
      expect(scanned(JSON.stringify(event))?.result).toBeUndefined();
    }
    expect(parsed({ ...FULL, result: 'EPERM' }).result).toBe('EPERM');
    expect(parsed({ ...FULL, verdict: 'deny' }).result).toBe('ECONNREFUSED');
  });
});

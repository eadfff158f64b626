/** The fast reader against the JSON parser: what it takes is valid, and says what the parser says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Captured } from '../../../src/capture/captured.js';
import { eventFault } from '../../../src/capture/check-event.js';
import { Scanner } from '../../../src/capture/scan.js';
import { EVENT_KINDS } from '../../../src/model/event.js';
import { type CapturedEvent, JsonEvent } from '../../../src/model/json-event.js';
import { eventAt } from './lines.js';

const decimal = z.string().regex(/^\d{1,20}$/);
const pid = z
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const uid = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const endpoint = z.object({ ip: z.string(), port: z.int().min(0).max(65_535) });
const lineage = z.object({ pid, start: decimal, comm: z.string().nullish() });

/** The shape of an event in a capture, said once more and by other means. */
const SHAPE = z.object({
  at: z
    .string()
    .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/)
    .refine((at) => {
      const [, month, day, hour, minute, second] = at.split(/[-T:.Z+]/).map(Number);
      const isIn = (value: number | undefined, least: number, most: number) =>
        value !== undefined && value >= least && value <= most;
      return (
        isIn(month, 1, 12) &&
        isIn(day, 1, 31) &&
        isIn(hour, 0, 23) &&
        isIn(minute, 0, 59) &&
        isIn(second, 0, 59)
      );
    }),
  boot_ns: decimal,
  kind: z.enum(EVENT_KINDS),
  pid,
  start: decimal,
  ppid: pid,
  session: uid.nullable(),
  uid,
  comm: z.string(),
  exe: z.string(),
  cgroup: z.object({ id: decimal, path: z.string() }),
  user: z.string().optional(),
  cmdline: z.string().optional(),
  unit: z.string().optional(),
  container: z.string().optional(),
  proto: z.enum(['tcp', 'udp', 'sctp', 'mptcp', 'raw', 'other']).optional(),
  src: endpoint.optional(),
  dst: endpoint.optional(),
  result: z.union([z.literal(0), z.string()]).optional(),
  auth: z
    .object({
      service: z.string(),
      user: z.string(),
      rhost: z.string(),
      method: z.string(),
      outcome: z.enum(['success', 'failure', 'abandoned']).optional(),
    })
    .optional(),
  untrusted: z.boolean().optional(),
  child: pid.optional(),
  child_start: decimal.optional(),
  lineage: lineage.optional(),
});

const FULL = eventAt(1.5, {
  cmdline: 'probe --all -x',
  container: 'ab'.repeat(32),
  src: { ip: '2001:db8::1', port: 1 },
  result: 'ECONNREFUSED',
  decision: '00000000000000ab',
  untrusted: true,
  child: 7,
  child_start: '123456789012',
  lineage: { pid: 9, start: '80000000000', comm: 'sshd' },
});

const odd = fc.constantFrom<unknown>(
  ...[
    undefined,
    null,
    true,
    '',
    '0',
    '007',
    '12x',
    -1,
    0,
    1.5,
    1e21,
    2 ** 31,
    2 ** 32,
    65_536,
    [],
    {},
    'connect.ok',
  ],
  ...[
    '2026-02-30T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:00Z',
    'ü',
    'a"b',
    '\t',
    '9'.repeat(20),
  ],
);

const PATHS = ['', 'cgroup', 'src', 'dst', 'lineage'] as const;

/** An event with some fields left out, some replaced, some moved: most are still valid. */
const anyEvent = fc
  .tuple(
    fc.subarray(Object.keys(FULL), { minLength: 14 }),
    fc.array(fc.tuple(fc.constantFrom(...PATHS), fc.nat(30), odd), { maxLength: 2 }),
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.boolean(),
  )
  .map(([keys, changes, number, isShuffled]) => {
    const all = structuredClone(FULL) as unknown as Record<string, unknown>;
    const names = isShuffled ? keys : Object.keys(FULL).filter((key) => keys.includes(key));
    const event: Record<string, unknown> = Object.fromEntries(names.map((name) => [name, all[name]]));
    event.boot_ns = String(number);
    for (const [path, which, value] of changes) {
      const target = (path === '' ? event : event[path]) as Record<string, unknown> | undefined;
      const name = Object.keys(target ?? {})[which];
      if (target && name !== undefined) target[name] = value;
    }
    return event;
  });

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

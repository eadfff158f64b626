/** Events of captures for random tests: their shape as a schema, one with every field, and changed ones. */
import fc from 'fast-check';
import { z } from 'zod';
import { EVENT_KINDS } from '../../../src/model/event.js';
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
export const SHAPE = z.object({
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

export const FULL = eventAt(1.5, {
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
export const anyEvent = fc
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

/** What a request to the control socket may hold; whatever is not named here is refused. */
import { z } from 'zod';
import { parseCidr } from '../lib/ip.js';
import { SEEN_KINDS } from '../model/event.js';
import type { AllowRequest, BlockRequest, EventFilter, Target, UnblockFilter } from './api.js';

/** Undefined members are absent ones: what JSON cannot say, zod's types still mention. */
type Loose<T> = { [K in keyof T]: T[K] | undefined };

/** 366 days: the same bound as on the command line. */
const MAX_NS = 366 * 86_400e9;

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.trim() !== '' && !value.includes('\0'), 'is empty or holds a NUL');
const ip = text(64).refine((value) => parseCidr(value) !== undefined, 'is no IP address or network');
const durationNs = z.number().positive().max(MAX_NS);
const reason = text(500);

const target = {
  pid: z.number().int().min(1).max(4_194_304).optional(),
  cgroup: text(4096).optional(),
  unit: text(256).optional(),
  container: text(256).optional(),
  ip: ip.optional(),
};
const allowTarget = {
  ...target,
  exe: text(4096).optional(),
  uid: z.number().int().min(0).max(4_294_967_294).optional(),
};
const unblockFilter = {
  ...target,
  id: text(64).optional(),
  policy: text(256).optional(),
  all: z.literal(true).optional(),
};

/** Refuses a request that names none of `shape`'s members, or more than one. */
const exactlyOne = (shape: object) => {
  const names = Object.keys(shape);
  return {
    test: (value: object): boolean =>
      names.filter((name) => (value as Record<string, unknown>)[name] !== undefined).length === 1,
    message: `name exactly one of ${names.join(', ')}`,
  };
};

const withOne = <T extends z.ZodRawShape>(shape: T, one: object) => {
  const { test, message } = exactlyOne(one);
  return z.strictObject(shape).refine((value) => test(value), message);
};

export const BLOCK: z.ZodType<Loose<BlockRequest>> = withOne(
  {
    ...target,
    lineage: z.boolean().optional(),
    forNs: durationNs,
    reason,
    deny: z.enum(['new', 'all', 'isolate']),
    sever: z.boolean().optional(),
    freeze: z.boolean().optional(),
  },
  target,
);
export const UNBLOCK: z.ZodType<Loose<UnblockFilter>> = withOne(unblockFilter, unblockFilter);
export const ALLOW_ADD: z.ZodType<Loose<AllowRequest>> = withOne(
  { ...allowTarget, forNs: durationNs.optional(), reason },
  allowTarget,
);
export const ALLOW_TARGET: z.ZodType<Loose<Target & { exe?: string; uid?: number }>> = withOne(
  allowTarget,
  allowTarget,
);
export const SET_MODE = z
  .strictObject({ mode: z.enum(['audit', 'enforce']), confirmWithinNs: durationNs.optional() })
  .refine(
    (value) => value.mode === 'enforce' || value.confirmWithinNs === undefined,
    'confirmWithinNs goes with enforce',
  );
export const NOTHING = z.strictObject({});

/** A query string, whose values are all text. */
export const EVENT_QUERY: z.ZodType<Loose<EventFilter>> = z.strictObject({
  kind: z.enum(SEEN_KINDS).optional(),
  pid: z
    .string()
    .regex(/^[1-9]\d{0,6}$/, 'is no process id')
    .transform(Number)
    .optional(),
  policy: text(256).optional(),
  capture: z
    .literal('true')
    .transform(() => true)
    .optional(),
});

/** The first complaint as `place: message`. */
export const complaint = (error: z.ZodError): string => {
  const issue = error.issues[0];
  if (issue === undefined) return 'the request is not valid';
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message;
};

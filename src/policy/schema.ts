/** The shape of a policy: one definition for the parser, its types, and editors (JSON Schema). */
import { z } from 'zod';
import { EVENT_KINDS } from '../model/event.js';
import { BLOCKABLE, SUBJECT_KINDS } from '../model/subject.js';
import { FIELDS } from './fields.js';

// Validators are walked, not generated as code: the agent may run where code from strings is forbidden.
z.config({ jitless: true });

/** Detectors of the language that this version cannot run. */
export const UNAVAILABLE_DETECTORS = ['scan', 'sequence', 'gate', 'paths', 'chain', 'novelty'] as const;

/** Largest `limit`: each key keeps one time stamp per event up to it. */
export const MAX_LIMIT = 10_000;
/** More tiers than this say nothing more about a rate. */
export const MAX_TIERS = 8;
/** Longest list of values, kinds or techniques. */
const MAX_LIST = 1_000;

const duration = z.string('expected a duration such as 30s, 10m, 4h or 7d').meta({
  pattern: '^(?=\\d)(\\d+d)?(\\d+h)?(\\d+m)?(\\d+s)?(\\d+ms)?$',
  description: 'A duration: 30s, 10m, 4h, 7d',
});

const scalar = z.union([z.string(), z.number(), z.boolean()], 'expected a single value');
const scalars = z.array(scalar).min(1, 'an empty list matches nothing').max(MAX_LIST);
const matchValue = z.union(
  [
    scalar,
    scalars,
    z.strictObject({ not: z.union([scalar, scalars], 'expected a value or a list of values') }),
  ],
  'expected a value, a list of values, or {not: …} around either',
);
export type MatchValue = z.infer<typeof matchValue>;

const fieldSchemas = Object.fromEntries(
  Object.entries(FIELDS).map(([name, field]) => [name, matchValue.optional().describe(field.about)]),
);

const distinct = z.enum(['dst', 'dst.ip', 'dst.port', 'user']);
const limit = z
  .int('limit must be a whole number')
  .min(0, 'limit must be 0 or more')
  .max(MAX_LIMIT, `limit must be ${MAX_LIMIT} or less`)
  .describe('Fires when more than this many events lie in the window');
const by = z.enum(SUBJECT_KINDS).describe('Whose events are counted together');
const tier = z.strictObject({ limit, within: duration, by, distinct: distinct.optional() });
const laterTier = z.strictObject({
  limit,
  within: duration,
  by: by.optional(),
  distinct: distinct.optional(),
});
export type TierText = z.infer<typeof laterTier>;

const burst = z.union(
  [tier, z.tuple([tier], laterTier)],
  'expected {limit, within, by} or a list of {limit, within} whose first tier has by',
);

const then = z.strictObject({
  block: z.enum(BLOCKABLE).optional().describe('Whom to deny'),
  for: duration.optional().describe('How long; 10m when absent'),
  deny: z.enum(['new', 'all', 'isolate']).optional(),
  sever: z.boolean().optional(),
  escalate: z
    .strictObject({ factor: z.number().min(1, 'factor must be 1 or more').max(1000), max: duration })
    .optional(),
  alert: z.boolean().optional().describe('Report only'),
  allow: z.boolean().optional().describe('End the evaluation by policies of lower priority'),
});

export const policySchemaZod = z.strictObject({
  kerngate: z
    .literal(1, 'expected 1, the version of the policy language')
    .describe('Version of the language'),
  policy: z
    .string()
    .max(64, 'a name has at most 64 characters')
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'a name is made of a-z, 0-9 and -, and does not begin with -')
    .describe('Unique name'),
  summary: z.string().max(500).optional().describe('One sentence for people'),
  attack: z
    .array(z.string().regex(/^T\d{4}(\.\d{3})?$/, 'expected an ATT&CK technique such as T1046 or T1110.001'))
    .max(MAX_LIST)
    .optional(),
  severity: z.enum(['low', 'medium', 'high', 'critical']).optional(),
  mode: z
    .enum(['audit', 'enforce'])
    .optional()
    .describe('The weaker of this and the mode of the agent holds'),
  priority: z
    .int('priority must be a whole number')
    .min(0, 'priority must be 0 to 1000')
    .max(1000, 'priority must be 0 to 1000')
    .optional(),
  on: z.union(
    [z.enum(EVENT_KINDS), z.array(z.enum(EVENT_KINDS)).min(1, 'name at least one event kind').max(MAX_LIST)],
    'expected an event kind or a list of them',
  ),
  match: z.strictObject(fieldSchemas).optional(),
  when: z.string('expected a CEL expression').max(2_000).optional().describe('CEL, evaluated after match'),
  detect: z.strictObject({ burst }).optional(),
  then,
});
export type PolicyText = z.infer<typeof policySchemaZod>;

/** JSON Schema (draft 2020-12) of one policy document; `policies/policy.schema.json` is this. */
export const policySchema = (): Record<string, unknown> => ({
  ...z.toJSONSchema(policySchemaZod, { target: 'draft-2020-12', io: 'input', reused: 'ref' }),
  title: 'kerngate policy',
  description: 'One YAML document of a kerngate policy file.',
});

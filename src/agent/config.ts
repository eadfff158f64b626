/** `kerngate.yaml`: what the agent reads at its start besides flags. Unknown keys are errors. */
import { existsSync, statSync } from 'node:fs';
import { z } from 'zod';
import { parseDuration } from '../lib/duration.js';
import { LAUNCHERS } from '../lib/launchers.js';
import { BROKERS, LOGS } from '../lib/locals.js';
import { PACKAGE_ROOT, type Paths } from '../lib/paths.js';
import { KerngateError } from '../model/error.js';
import {
  formatProblem,
  type JsonSchema,
  type LoadOptions,
  located,
  type Problem,
  readTrusted,
  readYaml,
  shapeFaults,
} from '../policy/index.js';

/** What the kernel compares is a number: names of users are not looked up. */
const SUBJECT =
  /^(?:process:\d{1,10}@\d{1,15}|(?:session|user):\d{1,10}|cgroup:(?:\/.*|\d{1,19})|container:[0-9a-f]{12,64}|exe:\/.+|(?:unit|source|destination):.+)$/;

const path = z
  .string()
  .startsWith('/', 'expected an absolute path')
  .refine((text) => !text.includes('\0'), 'a path holds no NUL');
const windows = 'windows must be a whole number from 16 to 1048576';
const RING = 'a ring has a power of two of bytes, from 65536 to 1073741824';
const ring = z
  .int(RING)
  .min(65_536, RING)
  .max(1_073_741_824, RING)
  .refine((bytes) => Number.isInteger(Math.log2(bytes)), RING)
  .optional();

const BLOCKS = 'blocks must be off or a whole number from 1 to 10000';
const WITHIN = 'expected a duration from 1s to 1d, such as 1m';
const SHARE = 'expected off or a share from 1% to 99%';
const isSpan = (text: string): boolean => {
  const ns = parseDuration(text) ?? 0;
  return ns >= 1e9 && ns <= 86_400e9;
};

const SCHEMA = z.strictObject({
  mode: z.enum(['audit', 'enforce']).optional(),
  cgroup_root: path.optional(),
  telemetry: z
    .strictObject({
      connect: z.enum(['auto', 'cgroup', 'fentry', 'kprobe', 'tracepoint']).default('auto'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      /** Most windows the kernel keeps; a power of two is not needed. */
      windows: z.int(windows).min(16, windows).max(1_048_576, windows).default(32_768),
      /** Bytes of the rings for telemetry and for crossings; the BPF object's own sizes when absent. */
      events: ring,
      crossings: ring,
    })
    .prefault({}),
  /** When policies block so much that they must be wrong. */
  breaker: z
    .strictObject({
      blocks: z
        .union([z.literal('off', BLOCKS), z.int(BLOCKS).min(1, BLOCKS).max(10_000, BLOCKS)], BLOCKS)
        .default(60),
      within: z.string(WITHIN).refine(isSpan, WITHIN).default('1m'),
      units: z
        .string(SHARE)
        .regex(/^(?:off|[1-9]\d?%)$/, SHARE)
        .default('25%'),
    })
    .prefault({}),
  /** On level lsm: nobody but the agent gets at its maps, programs, links and pins. */
  shield: z.boolean('expected true or false').default(false),
  launchers: z
    .array(path)
    .max(256, 'at most 256 launchers')
    .default([...LAUNCHERS]),
  locals: z
    .strictObject({
      /** AF_UNIX sockets that a deny of all reaches. */
      brokers: z
        .array(path)
        .max(256, 'at most 256 brokers')
        .default([...BROKERS]),
      /** AF_UNIX sockets that stay open whatever is blocked. */
      logs: z
        .array(path)
        .max(64, 'at most 64 logs')
        .default([...LOGS]),
    })
    .prefault({}),
  allow: z
    .array(
      z.strictObject({
        subject: z
          .string()
          .regex(SUBJECT, 'expected KIND:NAME, such as unit:sshd.service or exe:/usr/sbin/sshd'),
        reason: z.string().min(1, 'a reason says something'),
      }),
    )
    .max(1024, 'at most 1024 entries')
    .default([]),
});

export type Config = z.infer<typeof SCHEMA>;

/** Lines a broken file may cost its reader. */
const MAX_PROBLEMS = 20;

/**
 * The configuration at `file`; defaults when there is none and nobody named it. `trust` says whose
 * files are believed. Throws KerngateError (invalid) with `file:line:column` for each problem.
 */
export const loadConfig = (file: string, isNamed: boolean, trust: LoadOptions): Config => {
  if (!isNamed && !existsSync(file)) return SCHEMA.parse({});
  const problems: Problem[] = [];
  const text = readTrusted(file, trust, problems);
  if (text === undefined) throw invalid(problems);
  return parseConfig(text, file);
};

/** The configuration in its place. Throws as `loadConfig` does. */
export const configOf = ({ config, configFrom }: Pick<Paths, 'config' | 'configFrom'>): Config => {
  const isNamed = configFrom !== 'system';
  return loadConfig(config, isNamed, {
    checkOwner: isNamed ? 'root-or-clone' : 'root',
    cloneOwner: statSync(PACKAGE_ROOT).uid,
  });
};

/** `loadConfig` for the text of a file; `file` is only named. */
export const parseConfig = (text: string, file: string): Config => {
  const source = readYaml(text, file);
  const [document, second] = source.documents;
  const problems = [...source.problems];
  if (second) problems.push(source.problem(second.place([]).value, 'a configuration is one document'));
  if (problems.length > 0) throw invalid(problems);
  const parsed = SCHEMA.safeParse(document?.data ?? {});
  if (parsed.success) return parsed.data;
  if (document === undefined) throw parsed.error;
  const faults = shapeFaults(parsed.error.issues, document.data, jsonSchema());
  throw invalid(faults.map((fault) => located(source, document, fault)));
};

/** What a configuration may hold; for messages, and for the test of its documents. */
export const jsonSchema = (): JsonSchema => z.toJSONSchema(SCHEMA, { io: 'input' }) as JsonSchema;

const invalid = (problems: readonly Problem[]): KerngateError => {
  const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
  return new KerngateError(sorted.slice(0, MAX_PROBLEMS).map(formatProblem).join('\n'), {
    exit: 'invalid',
    remedy: 'Correct the configuration; nothing was changed.',
  });
};

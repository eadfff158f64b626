/** `kerngate.yaml`: what the agent reads at its start besides flags. Unknown keys are errors. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { nearest } from '../lib/levenshtein.js';
import { KerngateError } from '../model/error.js';
import { LAUNCHERS } from './lineage.js';

const SUBJECT = /^(process|session|cgroup|unit|container|user|exe|source|destination):(.+)$/;

const SCHEMA = z.strictObject({
  mode: z.enum(['audit', 'enforce']).optional(),
  cgroup_root: z.string().startsWith('/').optional(),
  telemetry: z
    .strictObject({ connect: z.enum(['auto', 'cgroup', 'tracepoint']).default('auto') })
    .prefault({}),
  /** Most windows the kernel keeps; a power of two is not needed. */
  limits: z.strictObject({ windows: z.int().min(16).max(1_048_576).default(32_768) }).prefault({}),
  launchers: z
    .array(z.string().startsWith('/'))
    .max(256)
    .default([...LAUNCHERS]),
  allow: z
    .array(z.strictObject({ subject: z.string().regex(SUBJECT), reason: z.string().min(1) }))
    .max(1024)
    .default([]),
});

export type Config = z.infer<typeof SCHEMA>;

/** The configuration at `path`; defaults when there is none and nobody named it. Throws KerngateError (invalid). */
export const loadConfig = (path: string, isNamed: boolean, owners: readonly number[]): Config => {
  if (!existsSync(path)) {
    if (!isNamed) return SCHEMA.parse({});
    throw new KerngateError(`${path}: no such configuration file`, {
      exit: 'invalid',
      remedy: 'Give another with --config, or leave it out for the defaults.',
    });
  }
  checkOwner(path, owners);
  return parseConfig(readFileSync(path, 'utf8'), path);
};

const checkOwner = (path: string, owners: readonly number[]): void => {
  const { uid, mode } = statSync(path);
  if (owners.includes(uid) && (mode & 0o022) === 0) return;
  throw new KerngateError(
    `${path}: not trusted: it belongs to uid ${uid} with mode ${(mode & 0o777).toString(8)}`,
    {
      exit: 'invalid',
      remedy: `Make it root's and nobody else's to write: chown root ${path} && chmod go-w ${path}`,
    },
  );
};

/** Throws KerngateError with `file:line:column`. */
export const parseConfig = (text: string, path: string): Config => {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, maxAliasCount: 0 } as never);
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const broken = document.errors[0];
  if (broken) throw invalid(`${place(broken.pos[0])}: ${broken.message.split('\n')[0]}`);
  const parsed = SCHEMA.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const texts = parsed.error.issues.map((issue) => {
    const node = document.getIn(issue.path as (string | number)[], true) as { range?: [number] } | undefined;
    const key = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
    const at = (key === undefined ? undefined : text.search(new RegExp(`^\\s*${key}\\s*:`, 'm'))) ?? -1;
    return `${place(at >= 0 ? at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0) : (node?.range?.[0] ?? 0))}: ${messageOf(issue, key)}`;
  });
  throw invalid(texts.join('\n'));
};

const KEYS = [
  'mode',
  'cgroup_root',
  'telemetry',
  'connect',
  'limits',
  'windows',
  'launchers',
  'allow',
  'subject',
  'reason',
];

const messageOf = (issue: z.core.$ZodIssue, key: string | undefined): string => {
  if (key === undefined) return `${issue.path.join('.')}: ${issue.message}`;
  const near = nearest(key, KEYS);
  return `unknown key '${key}'${near === undefined ? '' : `; did you mean '${near}'?`}`;
};

const invalid = (message: string): KerngateError =>
  new KerngateError(message, { exit: 'invalid', remedy: 'Correct the configuration; nothing was changed.' });

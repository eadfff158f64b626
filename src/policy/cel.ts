/** The one door to CEL: compiles the `when` of a policy to a test of events. */
import { type ASTNode, Environment, type ParseError } from '@marcbachmann/cel-js';
import { compileGlob } from '../lib/glob.js';
import { nearest } from '../lib/levenshtein.js';
import type { EventView } from '../model/event.js';
import { Auth, activate, Cgroup, EndpointOf, EventOf } from './activation.js';
import { FIELDS } from './fields.js';
import { didYouMean, quote } from './problem.js';

export interface WhenError {
  readonly message: string;
  readonly hint?: string;
  /** Offset in the expression. */
  readonly offset: number;
}

let failures = 0;

/** Evaluations of `when` that failed (a field the event does not have, a division by zero) since start. */
export const whenFailures = (): number => failures;

let environment: Environment | undefined;

const environmentOf = (): Environment => {
  environment ??= new Environment({
    limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 200, maxMapEntries: 50, maxCallArguments: 8 },
  })
    .registerType('Endpoint', { ctor: EndpointOf, fields: { ip: 'string', port: 'int' } })
    .registerType('Cgroup', { ctor: Cgroup, fields: { id: 'string', path: 'string' } })
    .registerType('Auth', {
      ctor: Auth,
      fields: { service: 'string', user: 'string', rhost: 'string', method: 'string', outcome: 'string' },
    })
    .registerType('Event', { ctor: EventOf, fields: EVENT_FIELDS })
    .registerVariable('event', 'Event')
    .registerFunction('string.glob(string): bool', (text: string, pattern: string) => globOf(pattern)(text));
  return environment;
};

/** `result` is a number or a name. */
const EVENT_FIELDS = {
  ...Object.fromEntries(['pid', 'ppid', 'child', 'session', 'uid'].map((name) => [name, 'int'])),
  ...Object.fromEntries(
    ['kind', 'comm', 'exe', 'cmdline', 'user', 'unit', 'container', 'proto', 'verdict'].map((name) => [
      name,
      'string',
    ]),
  ),
  untrusted: 'bool',
  result: 'dyn',
  cgroup: 'Cgroup',
  src: 'Endpoint',
  dst: 'Endpoint',
  auth: 'Auth',
} as const;

const globs = new Map<string, (text: string) => boolean>();

const globOf = (pattern: string): ((text: string) => boolean) => {
  const known = globs.get(pattern);
  if (known) return known;
  const test = compileGlob(pattern, { path: false });
  if (typeof test === 'string') throw new Error(test);
  // A pattern may be computed from the event: the cache must not grow with what a process chooses.
  if (globs.size >= 256) globs.clear();
  globs.set(pattern, test);
  return test;
};

/** Compiles an expression. Its test never throws: a failed evaluation is false, and counted. */
export const compileWhen = (text: string): ((event: EventView) => boolean) | WhenError => {
  try {
    const parsed = environmentOf().parse(text);
    const costly = findCostly(parsed.ast, 0);
    if (costly) return costly;
    const checked = parsed.check();
    if (!checked.valid) return whenError(checked.error);
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      return { message: `the expression is of type ${checked.type}, not bool`, offset: 0 };
    }
    return (event) => evaluate(parsed, event);
  } catch (error) {
    return whenError(error);
  }
};

const evaluate = (parsed: (context: object) => unknown, event: EventView): boolean => {
  try {
    return parsed(activate(event)) === true;
  } catch {
    failures++;
    return false;
  }
};

const whenError = (error: unknown): WhenError => {
  const { summary, range } = error as Partial<ParseError>;
  const message = summary ?? (error as Error | undefined)?.message ?? 'not a CEL expression';
  const unknown = /^(No such key|Unknown variable): (\w+)/.exec(message);
  const offset = range?.start ?? 0;
  if (!unknown) return { message: message.split('\n', 1)[0] ?? message, offset };
  const [, , name = ''] = unknown;
  return { message: `there is no ${quote(name)} here`, offset, ...didYouMean(nearest(name, NAMES)) };
};

const NAMES = ['event', ...new Set(Object.keys(FIELDS).flatMap((name) => name.split('.')))];

const MACROS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);

/**
 * Refuses what would let a process choose how long an evaluation takes: regular expressions (they
 * backtrack) and loops within loops. Everything else is linear in the text of the event.
 */
const findCostly = (node: unknown, loops: number): WhenError | undefined => {
  if (Array.isArray(node)) return firstOf(node, loops);
  if (typeof node !== 'object' || node === null || !('op' in node)) return undefined;
  const { op, args, range } = node as ASTNode & { range?: { start: number } };
  const name = op === 'rcall' || op === 'call' ? String((args as unknown[])[0]) : '';
  const offset = range?.start ?? 0;
  if (name === 'matches')
    return {
      message: "matches() is not available: use glob('*.example'), startsWith() or contains()",
      offset,
    };
  const inner = op === 'rcall' && MACROS.has(name) ? loops + 1 : loops;
  if (inner > 1) return { message: 'a loop within a loop is not available', offset };
  return Array.isArray(args) ? firstOf(args, inner) : findCostly(args, inner);
};

const firstOf = (nodes: readonly unknown[], loops: number): WhenError | undefined => {
  for (const node of nodes) {
    const found = findCostly(node, loops);
    if (found) return found;
  }
  return undefined;
};

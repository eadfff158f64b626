/** Policy text to policies: reads the YAML, checks the shape, checks the sense, compiles. */
import type { EventKind } from '../model/event.js';
import type { Policy } from '../model/policy.js';
import { compileWhen } from './cel.js';
import { readDetect, readThen } from './checks.js';
import { describeDetect } from './describe.js';
import { hashOf } from './hash.js';
import { compileMatch } from './match.js';
import { separateTwins } from './order.js';
import { kindOf, type Problem, quote } from './problem.js';
import { offsetInScalar } from './scalar-offset.js';
import { type PolicyText, policySchemaZod } from './schema.js';
import { type Fault, shapeFaults } from './shape.js';
import { readYaml, type Source, type SourceDocument } from './yaml-source.js';

export interface Parsed {
  readonly policies: readonly Policy[];
  /** In the order of the file. */
  readonly problems: readonly Problem[];
}

const MAX_PROBLEMS = 50;

/**
 * The policies of a file's text, one per YAML document. Never throws: what is wrong is a problem with
 * its position, and the policy it stands in is left out. `file` is named in problems and policies.
 */
export const parsePolicyText = (text: string, file: string): { policies: Policy[]; problems: Problem[] } => {
  const { policies, problems } = parseFile(text, file);
  return {
    policies: separateTwins(policies),
    problems: [...problems, ...whenEmpty({ policies, problems }, file)],
  };
};

/** As above, for one file of several: hashes may be equal to those of other policies. */
export const parseFile = (text: string, file: string): Parsed => {
  const source = readYaml(text, file);
  const problems = [...source.problems];
  const policies: Policy[] = [];
  for (const document of source.documents) {
    const { policy, faults } = parseDocument(source, document, file);
    if (faults.length > 0) problems.push(...faults.map((fault) => located(source, document, fault)));
    else if (policy && isNew(policies, policy, problems)) policies.push(policy);
  }
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { policies, problems: problems.slice(0, MAX_PROBLEMS) };
};

/** The problem of a file that holds nothing at all. */
export const whenEmpty = ({ policies, problems }: Parsed, file: string): Problem[] => {
  if (policies.length > 0 || problems.length > 0) return [];
  return [
    { file, line: 1, column: 1, message: "no policy in this file: the first key of one is 'kerngate: 1'" },
  ];
};

const isNew = (policies: readonly Policy[], policy: Policy, problems: Problem[]): boolean => {
  const twin = policies.find(({ name }) => name === policy.name);
  if (twin) problems.push(duplicateName(policy, twin));
  return twin === undefined;
};

/** The problem of a name that another policy has already. */
export const duplicateName = (policy: Policy, other: Policy): Problem => {
  const message = `policy ${quote(policy.name)} is already defined at ${other.file}:${other.line}`;
  return { file: policy.file, line: policy.line, column: 1, message };
};

/** A fault as a problem at its line and column. */
export const located = (source: Source, document: SourceDocument, fault: Fault): Problem => {
  const place = document.place(fault.path);
  const { scalar } = place;
  const inside =
    fault.inside !== undefined && scalar ? offsetInScalar(source.text, scalar, fault.inside) : undefined;
  const offset = inside ?? (fault.key ? place.key : place.value);
  return source.problem(offset, fault.message, fault.hint === undefined ? {} : { hint: fault.hint });
};

interface Result {
  readonly policy?: Policy;
  readonly faults: readonly Fault[];
}

const parseDocument = (source: Source, document: SourceDocument, file: string): Result => {
  const { data } = document;
  const version = versionFault(data);
  if (version) return { faults: [version] };
  const checked = policySchemaZod.safeParse(data);
  if (!checked.success) return { faults: shapeFaults(checked.error.issues, data) };
  const { line } = source.problem(document.place(['policy']).key, '');
  return compile(checked.data, file, line);
};

/** A file that is no policy at all gets this one message, not one for each of its keys. */
const versionFault = (data: unknown): Fault | undefined => {
  const wanted = "the first key of a policy is 'kerngate: 1'";
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    return { path: [], key: false, message: `a policy is a mapping; ${wanted}` };
  }
  if (!Object.hasOwn(data, 'kerngate')) return { path: [], key: false, message: wanted };
  if (Object.keys(data)[0] !== 'kerngate') return { path: ['kerngate'], key: true, message: wanted };
  const { kerngate } = data as { kerngate: unknown };
  if (kerngate === 1) return undefined;
  return {
    path: ['kerngate'],
    key: false,
    message: `this version reads 'kerngate: 1', not ${kindOf(kerngate)}`,
  };
};

const compile = (text: PolicyText, file: string, line: number): Result => {
  const faults: Fault[] = [];
  const on: EventKind[] = [...new Set(typeof text.on === 'string' ? [text.on] : text.on)];
  const match = compileMatch(text.match ?? {}, faults);
  const when = compileCondition(text.when, faults);
  const detect = readDetect(text, on, faults);
  const then = readThen(text, on, faults);
  const condition = text.when?.trim();
  const policy: Policy = {
    name: text.policy,
    file,
    line,
    summary: text.summary ?? `${on.join(', ')}: ${describeDetect({ detect })}`,
    attack: text.attack ?? [],
    severity: text.severity ?? 'medium',
    mode: text.mode,
    priority: text.priority ?? 500,
    on,
    matches: when ? (event) => match.test(event) && when(event) : match.test,
    detect,
    then,
    hash: hashOf({ on: [...on].sort(), match: match.canonical, when: condition, detect }),
    placement: 'agent',
    why: 'not placed yet',
    kernelMatch: when ? 'the agent evaluates its when' : match.kernel,
  };
  return { policy, faults };
};

const compileCondition = (text: string | undefined, faults: Fault[]) => {
  if (text === undefined) return undefined;
  const when = compileWhen(text);
  if (typeof when === 'function') return when;
  const { offset, ...rest } = when;
  faults.push({ path: ['when'], key: false, inside: offset, ...rest });
  return undefined;
};

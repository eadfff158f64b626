/** `kerngate replay`: a capture through the detectors and decisions, without a kernel, an agent or root. */
import { counted } from '../lib/counted.js';
import { type PathFlags, policyFiles, resolvePaths } from '../lib/paths.js';
import type { Column } from '../lib/table.js';
import type { Mode } from '../model/decision.js';
import { EXIT, KerngateError } from '../model/error.js';
import type { Policy } from '../model/policy.js';
import type { ReplayLine, Summary } from '../replay/replay.js';
import type { RunCounts } from '../replay/run.js';
import type { Command } from './command.js';
import type { Field, Output } from './output.js';
import { subjectText } from './show.js';

interface ReplayOptions {
  readonly mode?: Mode;
  readonly policy?: string[];
  readonly against?: string[];
  readonly partial?: boolean;
}

/** A host's own abilities would make its output differ from another's. */
const ANY_KERNEL = { sessionId: true, exe: () => true };

const policiesOf = async (paths: readonly string[]): Promise<Policy[]> => {
  const { formatProblem, loadPolicies, placePolicies } = await import('../policy/index.js');
  const { policies, problems } = loadPolicies(paths, { checkOwner: 'none' });
  if (problems.length > 0) {
    throw new KerngateError(problems.map(formatProblem).join('\n'), {
      exit: 'invalid',
      remedy: 'Correct the policies; try them with: kerngate policy check PATH',
    });
  }
  if (policies.length > 0) return placePolicies(policies, ANY_KERNEL);
  throw new KerngateError('there are no policies to replay with', {
    exit: 'notFound',
    remedy: 'Name some with --policy PATH.',
  });
};

type Of<T extends ReplayLine['type']> = Extract<ReplayLine, { type: T }>;

const what = (line: ReplayLine): string => {
  if (line.type === 'finding')
    return line.refused ? `${line.summary} (not blocked: ${line.refused})` : line.summary;
  if (line.type === 'decision') return `${line.mode} until ${line.until}, ${line.hits} hits${endOf(line)}`;
  return `${line.attempts} attempts from ${line.first_at} to ${line.last_at}`;
};

const endOf = ({ ended }: Of<'decision'>): string => (ended === undefined ? '' : `; ${ended}`);

const kindOf = (line: ReplayLine): string => {
  if (line.type === 'difference') return line.denied_by === 'both' ? 'both' : `${line.denied_by} only`;
  return line.type;
};

const policyOf = (line: ReplayLine): string =>
  line.type === 'difference' && line.against !== undefined && line.against !== line.policy
    ? `${line.policy}, ${line.against}`
    : line.policy;

/** Widths are set: rows come as the capture is read. */
const COLUMNS: readonly Column<ReplayLine>[] = [
  { head: 'AT', cell: (line) => (line.type === 'difference' ? line.first_at : line.at), min: 24 },
  { head: 'WHAT', cell: kindOf, min: 11 },
  { head: 'POLICY', cell: policyOf, min: 20 },
  { head: 'SUBJECT', cell: (line) => subjectText(line.subject), min: 30, max: 60 },
  { head: 'HOW', cell: what, max: 120 },
];

const head = (summary: Summary): Field[] => [
  ['capture', `${summary.host}, kernel ${summary.kernel}`],
  ['time', summary.from === undefined ? 'no events' : `${summary.from} to ${summary.to}`],
  ['events', `${summary.events}${summary.complete ? '' : ' (cut short)'}, ${summary.lost ?? 'unknown'} lost`],
  ['mode', summary.mode],
];

const tripField = (name: string, { tripped }: Pick<RunCounts, 'tripped'>): Field[] => {
  if (tripped === undefined) return [];
  const { mode, at, reason } = tripped;
  return [[name, `${mode === 'enforce' ? 'tripped, audit from then on' : 'would trip'}: ${at}, ${reason}`]];
};

const sumOf = ({ findings, decisions }: { readonly findings: number; readonly decisions: number }): string =>
  `${counted(findings, 'finding')}, ${counted(decisions, 'decision')}`;

const fieldsOf = (summary: Summary): Field[] => {
  if (!('difference' in summary)) {
    return [
      ...head(summary),
      ['findings', summary.findings],
      ['decisions', `${summary.decisions}, ${summary.in_force} in force at the end`],
      ['denied', summary.denied],
      ['would deny', summary.audited],
      ...tripField('breaker', summary),
    ];
  }
  const { first, second, both } = summary.difference;
  return [
    ...head(summary),
    ['first', sumOf(summary.first)],
    ['second', sumOf(summary.second)],
    ...tripField('breaker, first', summary.first),
    ...tripField('breaker, second', summary.second),
    ['denied by', `${first} the first only, ${second} the second only, ${both} both`],
  ];
};

const print = (out: Output, summary: Summary): void => {
  if (out.format === 'table') out.verbatim('\n');
  out.record(summary, fieldsOf(summary));
};

const pathsOf = (flags: PathFlags, policy: readonly string[] | undefined): string[] =>
  policyFiles(resolvePaths(policy === undefined ? flags : { ...flags, policy }));

export const replayCommand: Command<ReplayOptions> = {
  name: 'replay',
  summary: 'Run a capture through policies on its own time; needs no agent, no root and no kernel.',
  example:
    'kerngate replay incident.jsonl.gz --policy my-policy.yaml\nkerngate replay incident.jsonl.gz --policy new/ --against policies/',
  arguments: [{ name: '<file>', help: 'what kerngate record wrote, plain or gzip; - reads standard input' }],
  options: [
    {
      flags: '--mode <mode>',
      help: 'as the agent would run',
      choices: ['audit', 'enforce'],
      default: 'enforce',
    },
    { flags: '--policy <path>', help: 'policy file or folder; replaces the configured set', repeat: true },
    { flags: '--against <path>', help: 'a second set: print the difference in denials', repeat: true },
    { flags: '--partial', help: 'take a capture that was cut short' },
  ],
  run: async ({ args, options, flags, out }) => {
    const { mode = 'enforce', against, partial = false } = options;
    const { replayCapture } = await import('../replay/replay.js');
    const policies = await policiesOf(pathsOf(flags, options.policy));
    const other = against === undefined ? {} : { against: await policiesOf(against) };
    const printLine = out.stream(COLUMNS);
    const file = args[0] ?? '-';
    const told = await replayCapture({ file, isPartial: partial, mode, policies, ...other }, printLine);
    const { remark, ...summary } = told;
    print(out, summary as Summary);
    if (remark !== undefined) out.note(`kerngate: ${file}: ${remark}`);
    return EXIT.ok;
  },
};

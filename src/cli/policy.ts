/** `kerngate policy`: what is in force, and what files would do. */
import { existsSync, statSync } from 'node:fs';
import type { PolicyRow } from '../control/api.js';
import { callAgent } from '../control/client.js';
import { policyFiles } from '../lib/paths.js';
import type { Column } from '../lib/table.js';
import { EXIT, type ExitCode, KerngateError } from '../model/error.js';
import type { Policy } from '../model/policy.js';
import type { Problem } from '../policy/index.js';
import type { Command } from './command.js';
import type { Output } from './output.js';

const ROW_COLUMNS: readonly Column<PolicyRow>[] = [
  { head: 'NAME', cell: (row) => row.name },
  { head: 'MODE', cell: (row) => row.mode, style: (row) => (row.mode === 'enforce' ? 'red' : 'yellow') },
  { head: 'SEVERITY', cell: (row) => row.severity },
  { head: 'WHERE', cell: (row) => row.enforced_by },
  { head: 'DETECT', cell: (row) => row.detect, max: 40 },
  { head: 'THEN', cell: (row) => row.then, max: 40 },
  { head: 'FINDINGS', cell: (row) => row.findings, align: 'right' },
  { head: 'HITS', cell: (row) => row.hits, align: 'right' },
  { head: 'SUMMARY', cell: (row) => row.summary, max: 80 },
];

const CHECK_COLUMNS: readonly Column<Policy>[] = [
  { head: 'NAME', cell: (policy) => policy.name },
  { head: 'WHERE', cell: (policy) => policy.placement },
  { head: 'WHY', cell: (policy) => policy.why },
];

const listCommand: Command = {
  name: 'list',
  summary: 'Show the policies in force and what they found so far.',
  example: 'kerngate policy list',
  run: async ({ paths, out }) => {
    out.list(await callAgent<PolicyRow[]>(paths.socket, 'GET', '/v1/policies'), ROW_COLUMNS, 'no policies');
    return undefined;
  },
};

const reloadCommand: Command = {
  name: 'reload',
  summary: 'Read the policies anew; a bad one changes nothing (exit 5).',
  example: 'kerngate policy reload',
  run: async ({ paths, out }) => {
    const rows = await callAgent<PolicyRow[]>(paths.socket, 'POST', '/v1/policies/reload');
    out.list(rows, ROW_COLUMNS, 'no policies');
    return undefined;
  },
};

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;

/** What this host's kernel can tell apart, asked without root; the agent proves it again at its start. */
const HOST_CAN = { sessionId: existsSync('/proc/self/sessionid'), exe: isFile };

const checkDocument = (policies: readonly Policy[], problems: readonly Problem[]) => ({
  policies: policies.map(({ name, placement, why, file, line }) => ({
    name,
    enforced_by: placement,
    why,
    file,
    line,
  })),
  problems,
});

const printCheck = (out: Output, policies: readonly Policy[], problems: readonly Problem[]): void => {
  if (out.format === 'json') out.record(checkDocument(policies, problems), []);
  else if (policies.length > 0 || problems.length === 0) out.list(policies, CHECK_COLUMNS, 'no policies');
};

const check = async (paths: readonly string[], out: Output): Promise<ExitCode> => {
  if (paths.length === 0) throw new KerngateError('there are no policies to check', { exit: 'notFound' });
  const { formatProblem, loadPolicies, placePolicies } = await import('../policy/index.js');
  const { policies, problems } = loadPolicies(paths, { checkOwner: 'none' });
  printCheck(out, placePolicies(policies, HOST_CAN), problems);
  for (const problem of problems) out.note(formatProblem(problem));
  return problems.length > 0 ? EXIT.invalid : EXIT.ok;
};

const checkCommand: Command = {
  name: 'check',
  summary: 'Say what is wrong with policies, or where each would be enforced; needs no agent.',
  example: 'kerngate policy check policies/connect-burst.yaml\nkerngate policy check',
  arguments: [{ name: '[path...]', help: 'files, or folders of *.yaml; without: the configured set' }],
  run: async ({ args, paths, out }) => check(args.length > 0 ? args : policyFiles(paths), out),
};

const schemaCommand: Command = {
  name: 'schema',
  summary: 'Print the JSON Schema of a policy, for editors.',
  example: 'kerngate policy schema > policy.schema.json',
  run: async ({ out }) => {
    const { policySchema } = await import('../policy/index.js');
    out.verbatim(`${JSON.stringify(policySchema(), null, 2)}\n`);
    return undefined;
  },
};

export const policyCommand: Command = {
  name: 'policy',
  summary: 'List, check and reload policies.',
  example: 'kerngate policy check my-policy.yaml\nkerngate policy list',
  subcommands: [listCommand, checkCommand, schemaCommand, reloadCommand],
};

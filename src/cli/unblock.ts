/** `kerngate unblock`: takes blocks back, with the agent or without it. */
import type { Target, UnblockFilter } from '../control/api.js';
import { callAgent } from '../control/client.js';
import type { Paths } from '../lib/paths.js';
import type { Decision } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { Command } from './command.js';
import { hasTraces, isUnreachable } from './offline.js';
import { parseText } from './parse.js';
import { subjectText } from './show.js';
import { TARGET_OPTIONS, targetOf } from './target.js';

/** A hanging agent must not keep a block in force: after this the pinned maps are changed directly. */
const AGENT_LIMIT_MS = 5_000;

interface UnblockOptions extends Target {
  readonly policy?: string;
  readonly all?: boolean;
}

const filterOf = (id: string | undefined, options: UnblockOptions): UnblockFilter => {
  const filter: UnblockFilter = {
    ...targetOf(options),
    ...(id === undefined ? {} : { id: parseText(id) }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    ...(options.all ? { all: true } : {}),
  };
  if (Object.keys(filter).length === 1) return filter;
  const what = Object.keys(filter).length === 0 ? 'no filter given' : 'more than one filter given';
  throw new KerngateError(`${what}; name an ID, or one of the options, or --all`, { exit: 'usage' });
};

const unblockOffline = async (paths: Paths, filter: UnblockFilter): Promise<Decision[]> => {
  if (await hasTraces(paths)) {
    const { offlineUnblock } = await import('../agent/offline.js');
    return offlineUnblock({ pin: paths.pin, state: paths.state }, filter);
  }
  if (filter.id === undefined) return [];
  throw new KerngateError(`no block has the id ${filter.id}`, {
    exit: 'notFound',
    remedy: `No agent answers, and neither ${paths.pin} nor ${paths.state} exists; see --socket, --pin, --state.`,
  });
};

const lift = async (paths: Paths, filter: UnblockFilter): Promise<Decision[]> => {
  try {
    return await callAgent<Decision[]>(paths.socket, 'POST', '/v1/unblock', filter, AGENT_LIMIT_MS);
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return unblockOffline(paths, filter);
  }
};

const COLUMNS = [
  { head: 'LIFTED', cell: (row: Decision) => row.id },
  { head: 'SUBJECT', cell: (row: Decision) => subjectText(row.subject) },
  { head: 'BY', cell: (row: Decision) => (row.by === 'operator' ? 'operator' : row.policy) },
];

export const unblockCommand: Command<UnblockOptions> = {
  name: 'unblock',
  summary: 'Take blocks back at once; works with the agent down.',
  example: 'kerngate unblock 5f0c2a91d3e7b846\nkerngate unblock --unit nginx.service\nkerngate unblock --all',
  arguments: [{ name: '[id]', help: 'id of a block, as blocks shows it' }],
  options: [
    ...TARGET_OPTIONS,
    { flags: '--policy <name>', help: 'every block of this policy', parse: parseText },
    { flags: '--all', help: 'every block' },
  ],
  run: async ({ args, options, paths, out }) => {
    const filter = filterOf(args[0], options);
    const empty = filter.all ? 'nothing is blocked' : 'nothing is blocked that matches';
    out.list(await lift(paths, filter), COLUMNS, empty);
    return undefined;
  },
};

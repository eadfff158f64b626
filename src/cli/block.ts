/** `kerngate block`: the operator's own block. */
import type { BlockRequest, BlockResult, Target } from '../control/api.js';
import { callAgent } from '../control/client.js';
import type { Decision, DenyScope } from '../model/decision.js';
import { EXIT, KerngateError } from '../model/error.js';
import type { Command } from './command.js';
import { parseDuration, parseReason } from './parse.js';
import { remaining, subjectText } from './show.js';
import { oneTarget, TARGET_OPTIONS } from './target.js';

interface BlockOptions extends Target {
  readonly for: number;
  readonly reason: string;
  readonly lineage?: boolean;
  readonly deny: DenyScope;
  readonly sever?: boolean;
  readonly freeze?: boolean;
}

const requestOf = (options: BlockOptions): BlockRequest => {
  const target = oneTarget(options);
  if (options.lineage && target.pid === undefined) {
    throw new KerngateError('--lineage needs --pid', { exit: 'usage' });
  }
  return {
    ...target,
    forNs: options.for,
    reason: options.reason,
    deny: options.deny,
    ...(options.lineage ? { lineage: true } : {}),
    ...(options.sever ? { sever: true } : {}),
    ...(options.freeze ? { freeze: true } : {}),
  };
};

const AUDIT_NOTE = 'the agent is in audit mode: the block is recorded, and nothing is denied';

const severedText = ({ severed, mode }: Decision): string => {
  if (severed === undefined) return '';
  const verb = mode === 'enforce' ? 'severed' : 'would have severed';
  const kept = severed.kept === 0 ? '' : `, ${severed.kept} kept that others hold too`;
  return `; ${verb} ${severed.closed} sockets${kept}`;
};

const sentence = (decision: Decision): string => {
  const verb = decision.mode === 'enforce' ? 'blocked' : 'recorded';
  const spared = decision.spared?.length ? `; spared: ${decision.spared.join(', ')}` : '';
  const lift = `kerngate unblock ${decision.id}`;
  return `${verb} ${subjectText(decision.subject)} for ${remaining(decision.until)}${spared}${severedText(decision)} (lift: ${lift})`;
};

export const blockCommand: Command<BlockOptions> = {
  name: 'block',
  summary: 'Deny a process, cgroup, unit, container or address the network for a while.',
  example: 'kerngate block --pid 4242 --lineage --for 1h --reason "scans the office"',
  options: [
    ...TARGET_OPTIONS,
    {
      flags: '--for <duration>',
      help: 'how long',
      parse: parseDuration,
      default: 600e9,
      shownDefault: '10m',
    },
    {
      flags: '--reason <text>',
      help: 'why, for the records',
      parse: parseReason,
      default: 'blocked by hand',
    },
    { flags: '--lineage', help: 'with --pid: all its descendants too, past and future' },
    {
      flags: '--deny <scope>',
      help: 'new: nothing new; all: open sockets too; isolate: local sockets too',
      choices: ['new', 'all', 'isolate'],
      default: 'new',
    },
    { flags: '--sever', help: 'end the sockets that are open already' },
    { flags: '--freeze', help: 'freeze its cgroup until the block ends' },
  ],
  run: async ({ options, paths, out }) => {
    const { decision, degraded } = await callAgent<BlockResult>(
      paths.socket,
      'POST',
      '/v1/block',
      requestOf(options),
    );
    const note = degraded ?? (decision.mode === 'audit' ? AUDIT_NOTE : undefined);
    const value = note === undefined ? decision : { ...decision, degraded: note };
    out.say(sentence(decision), value, decision.id);
    if (note === undefined) return EXIT.ok;
    out.note(note);
    return EXIT.degraded;
  },
};

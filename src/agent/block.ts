/** An operator's block, carried out: the ledger, the kernel, then what is open already. */
import type { BlockRequest, BlockResult, Peer } from '../control/api.js';
import type { Decision, LedgerEntry } from '../model/decision.js';
import { parseProcessId, type Subject } from '../model/subject.js';
import type { Agent } from './agent.js';
import { severTrouble } from './severer.js';
import { isInScope, subjectOfTarget } from './targets.js';

/** In force when it returns. Throws KerngateError; then nothing has changed. */
export const carryOutBlock = async (
  agent: Agent,
  request: BlockRequest,
  peer: Peer,
): Promise<BlockResult> => {
  const { state, scope, modes, reporter } = agent;
  const subject = subjectOfTarget(request, scope, request.lineage);
  const { decision } = state.ledger.block({
    subject,
    forNs: request.forNs,
    reason: request.reason,
    deny: request.deny,
    ...(request.sever && { sever: true }),
    mode: modes.mode,
    level: agent.level,
  });
  const failed = agent.pipeline.settle('applied').filter((outcome) => outcome.did === 'failed');
  reporter.audit.decision(decision, peer);
  reporter.decision(decision);
  const severed = request.sever ? await agent.severer.now(decision.id) : undefined;
  const degraded = failed[0]?.error ?? unreached(agent, subject) ?? (severed && severTrouble(severed));
  return { decision: shownAs(agent, decision), ...(degraded === undefined ? {} : { degraded }) };
};

/** A decision as users see it. */
export const shownAs = ({ state: { ledger } }: Agent, entry: LedgerEntry): Decision =>
  ledger.get(entry.id) ?? ledger.list().find(({ id }) => id === entry.id) ?? entry;

/** Why a block, though in the kernel, meets nobody now. */
const unreached = ({ scope, host, modes }: Agent, subject: Subject): string | undefined => {
  const process = parseProcessId(subject.id);
  if (modes.isPanic) return 'a panic is in force: nothing is denied until kerngate mode enforce';
  if (process && !isInScope(process.pid, scope)) {
    return `pid ${process.pid} runs outside the agent's scope ${scope.path}: no hook sees it`;
  }
  if (subject.kind !== 'unit' && subject.kind !== 'container') return undefined;
  if (host.cgroupsOf(subject).length > 0) return undefined;
  return `${subject.kind} ${subject.name} has no cgroup now: it is denied when it starts`;
};

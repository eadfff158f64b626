/** An operator's block, carried out: the ledger, the kernel, then what is open already. */
import type { BlockRequest, BlockResult, Peer } from '../control/api.js';
import { abandon, carryOut, type Plan, prepare, thawAll, unsettled } from '../enforce/freeze.js';
import type { Decision, LedgerEntry } from '../model/decision.js';
import { parseProcessId, type Subject, subjectKey } from '../model/subject.js';
import type { Agent } from './agent.js';
import { groupsToFreeze } from './freezable.js';
import { reachesOpen } from './holding.js';
import { severTrouble } from './severer.js';
import { isEnforced } from './stages.js';
import { isInScope, subjectOfTarget } from './targets.js';

/** In force when it returns. Throws KerngateError; then nothing has changed. */
export const carryOutBlock = async (
  agent: Agent,
  request: BlockRequest,
  peer: Peer,
): Promise<BlockResult> => {
  const { state, scope, modes, reporter } = agent;
  const subject = subjectOfTarget(request, scope, request.lineage);
  const plan = request.freeze ? await planFreeze(agent, request, subject, peer) : undefined;
  const decision = orElse(plan, () =>
    state.ledger.block({
      subject,
      forNs: request.forNs,
      reason: request.reason,
      deny: request.deny,
      ...(request.sever && { sever: true }),
      ...(request.freeze && { freeze: true }),
      mode: modes.mode,
      level: agent.level,
    }),
  ).decision;
  const failed = agent.pipeline.settle('applied').filter((outcome) => outcome.did === 'failed');
  reporter.audit.decision(decision, peer);
  reporter.decision(decision);
  const unfrozen = plan && (await freezeNow(agent, plan, decision, peer));
  const { severed, trouble } = reachesOpen(decision) ? await agent.severer.now(decision.id) : {};
  const degraded =
    failed[0]?.error ??
    unreached(agent, subject) ??
    unfrozen ??
    (severed && severTrouble(severed)) ??
    trouble;
  return { decision: shownAs(agent, decision), ...(degraded === undefined ? {} : { degraded }) };
};

/** Refused before anything is changed; in audit nothing is armed, since nothing will be frozen. */
const planFreeze = async (
  agent: Agent,
  { forNs }: BlockRequest,
  subject: Subject,
  peer: Peer,
): Promise<Plan | undefined> => {
  const { guardrails, ledger } = agent.state;
  const groups = guardrails.check(subject) ? [] : groupsToFreeze(agent, subject, peer.pid);
  if (agent.modes.mode !== 'enforce' || agent.modes.isPanic) return undefined;
  const isOurs = (id: string): boolean => {
    const standing = ledger.get(id);
    return standing?.by === 'operator' && subjectKey(standing.subject) === subjectKey(subject);
  };
  return prepare(agent.paths.state, groups, forNs, agent.scope.mount, isOurs);
};

const orElse = <T>(plan: Plan | undefined, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    if (plan) abandon(plan);
    throw error;
  }
};

/** Answers why it does not hold; the block does all the same. */
const freezeNow = async (
  agent: Agent,
  plan: Plan,
  decision: LedgerEntry,
  peer: Peer,
): Promise<string | undefined> => {
  /* a panic or another mode may have come while the timers were armed */
  if (!isEnforced(agent, decision.id)) {
    abandon(plan);
    return 'not frozen: the block does not deny';
  }
  try {
    carryOut(agent.paths.state, plan, decision);
    /* somebody who is protected may have moved in meanwhile */
    groupsToFreeze(agent, decision.subject, peer.pid);
  } catch (error) {
    const failures = thawAll(agent.paths.state, (id) => id === decision.id);
    return ['not frozen', (error as Error).message, ...failures].join(': ');
  }
  const slow = await unsettled(plan);
  return slow.length === 0 ? undefined : `not all tasks of ${slow.join(', ')} stand still yet`;
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

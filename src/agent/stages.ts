/** What the pipeline is given of a running agent. */
import { auditEnforcer } from '../enforce/audit.js';
import { freezeEnforcer } from '../enforce/freeze.js';
import { kernelEnforcer } from '../enforce/kernel.js';
import type { Stages } from '../pipeline.js';
import type { Agent } from './agent.js';

export const stagesOf = (agent: Agent): Stages => ({
  clock: agent.clock,
  reader: agent.reader,
  ledger: agent.state.ledger,
  enforcers: [
    kernelEnforcer(agent.maps, agent.host),
    auditEnforcer(agent.maps, agent.host),
    freezeEnforcer(agent.paths.state, (id) => isEnforced(agent, id)),
  ],
  report: agent.reporter,
  level: () => agent.level,
  mode: () => agent.modes.mode,
  /* what the hook did is what the decision says */
  gate: ({ inKernel }, event) =>
    inKernel ? { ...decisionOf(event), mode: event.verdict === 'deny' ? 'enforce' : 'audit' } : undefined,
  seal: () => agent.host.tree.seal(() => agent.native.ringDrain(agent.ring)),
  trip: (trip) => agent.modeSwitch.trip(trip),
  release: (decisions) => agent.sync.clear(decisions),
  isOwn: (event) => agent.proof.isCanary(event.pid),
  lost: () => agent.lost,
});

/** True while a decision of the operator's or a policy's is in force and denies. */
export const isEnforced = ({ state, modes }: Agent, id: string): boolean =>
  state.ledger.get(id)?.mode === 'enforce' && modes.mode === 'enforce' && !modes.isPanic;

const decisionOf = ({ decision }: { readonly decision: string | undefined }): { decision?: string } =>
  decision === undefined ? {} : { decision };

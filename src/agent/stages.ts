/** What the pipeline is given of a running agent. */
import { auditEnforcer } from '../enforce/audit.js';
import { kernelEnforcer } from '../enforce/kernel.js';
import type { Stages } from '../pipeline.js';
import type { Agent } from './agent.js';

export const stagesOf = (agent: Agent): Stages => ({
  clock: agent.clock,
  reader: agent.reader,
  ledger: agent.state.ledger,
  enforcers: [kernelEnforcer(agent.maps, agent.host), auditEnforcer(agent.maps, agent.host)],
  report: agent.reporter,
  level: () => agent.level,
  mode: () => agent.modes.mode,
  /* what the hook did is what the decision says */
  gate: ({ inKernel }, event) =>
    inKernel ? { ...decisionOf(event), mode: event.verdict === 'deny' ? 'enforce' : 'audit' } : undefined,
  trip: (trip) => agent.modeSwitch.trip(trip),
  release: (decisions) => agent.sync.clear(decisions),
  isOwn: (event) => agent.proof.isCanary(event.pid),
  lost: () => agent.lost,
});

const decisionOf = ({ decision }: { readonly decision: string | undefined }): { decision?: string } =>
  decision === undefined ? {} : { decision };

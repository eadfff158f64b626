/** `kerngate panic`: every deny out, agent up, hanging or down. */
import { callAgent } from '../control/client.js';
import type { Paths } from '../lib/paths.js';
import { KerngateError } from '../model/error.js';
import type { Command } from './command.js';
import { hasTraces, isUnreachable } from './offline.js';

/** The latch in the pinned maps holds already; the agent is only told. */
const AGENT_LIMIT_MS = 2_000;

interface Step {
  readonly lifted: number;
  readonly failure?: unknown;
  /** False when there was nothing to act on. */
  readonly acted: boolean;
}

/** Sets the latch in the pinned maps. A failure is kept: the agent may still succeed. */
const latch = async (paths: Paths): Promise<Step> => {
  try {
    if (!(await hasTraces(paths))) return { lifted: 0, acted: false };
    const { offlinePanic } = await import('../agent/offline.js');
    const { lifted } = await offlinePanic({ pin: paths.pin, state: paths.state });
    return { lifted, acted: true };
  } catch (failure) {
    return { lifted: 0, acted: false, failure };
  }
};

const tellAgent = async (socket: string): Promise<Step> => {
  try {
    const { lifted } = await callAgent<{ lifted: number }>(socket, 'POST', '/v1/panic', {}, AGENT_LIMIT_MS);
    return { lifted, acted: true };
  } catch (failure) {
    return isUnreachable(failure) ? { lifted: 0, acted: false } : { lifted: 0, acted: false, failure };
  }
};

const failureText = (failure: unknown): string =>
  failure instanceof KerngateError ? failure.text : String((failure as Error)?.message ?? failure);

export const panicCommand: Command = {
  name: 'panic',
  summary: 'Take every deny out and leave the host open until mode enforce; works without the agent.',
  example: 'kerngate panic',
  run: async ({ paths, out }) => {
    const maps = await latch(paths);
    const agent = await tellAgent(paths.socket);
    const failures = [maps.failure, agent.failure].filter((failure) => failure !== undefined);
    if (failures.length > 0 && !maps.acted && !agent.acted) throw failures[0];
    for (const failure of failures) out.note(`kerngate: ${failureText(failure)}`);
    const lifted = Math.max(maps.lifted, agent.lifted);
    const sentence =
      maps.acted || agent.acted
        ? `the host is open until kerngate mode enforce (blocks lifted: ${lifted})`
        : `nothing is blocked: no agent answers on ${paths.socket}, and ${paths.pin} does not exist`;
    out.say(sentence, { lifted, agent: agent.acted });
    return undefined;
  },
};

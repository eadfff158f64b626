/** The proof that the mode in force is what the hooks do: a canary tries, and the answer is compared. */
import { type Canary, withCanary } from '../kernel/canary.js';
import { KerngateError } from '../model/error.js';
import type { Agent } from './agent.js';

/** Its last records may still be on their way. */
const REMEMBERED_MS = 5_000;

export class Proof {
  readonly #agent: Agent;
  readonly #canaries = new Set<number>();

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** True for the pid of a canary: what it did is nobody's behaviour. */
  isCanary(pid: number): boolean {
    return this.#canaries.has(pid);
  }

  /** Runs the canary against the mode in force. Throws KerngateError (degraded) when it does not behave. */
  async run(): Promise<void> {
    const { modes, level, troubles, clock } = this.#agent;
    const wanted = modes.mode === 'enforce' && !modes.isPanic ? 'EPERM' : 'OK';
    const hits = modes.isPanic ? 0 : 1;
    const answer = await this.with((canary) => canary.attempt('gate', clock.bootNs()));
    if (answer.result === wanted && answer.hits === hits) {
      troubles.delete('canary');
      return;
    }
    const text = `the canary got ${answer.result} with ${answer.hits} hits, expected ${wanted} with ${hits}: ${modes.mode} mode does not hold at level ${level}`;
    troubles.set('canary', text);
    throw new KerngateError(text, {
      exit: 'degraded',
      remedy: 'See what this kernel offers with: kerngate doctor',
    });
  }

  /** Lends a canary for the time of `work`. */
  async with<T>(work: (canary: Canary) => Promise<T>): Promise<T> {
    const { maps, scope } = this.#agent;
    let pid = 0;
    const told = (child: number): void => {
      pid = child;
      this.#canaries.add(child);
    };
    try {
      return await withCanary(maps, scope.path, told, work);
    } finally {
      setTimeout(() => this.#canaries.delete(pid), REMEMBERED_MS).unref();
    }
  }
}

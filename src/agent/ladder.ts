/** The agent's enforcement level: raised once nothing keeps it from being proven, and let go at the end. */
import { type GuardLevel, type Raised, raiseLevel, tryGuard } from '../kernel/guard.js';
import type { Attached } from '../kernel/links.js';
import type { Level } from '../model/decision.js';
import type { Agent } from './agent.js';

export class Ladder {
  readonly #agent: Agent;
  readonly #wanted: Level | 'auto';
  #raised: Raised | undefined;

  constructor(agent: Agent, wanted: Level | 'auto') {
    this.#agent = agent;
    this.#wanted = wanted;
  }

  /** The level that was proven; until then the one every agent has. */
  get level(): Level {
    return this.#raised?.level ?? 'cgroup';
  }

  /** The guard in force, if any. */
  get guard(): readonly Attached[] {
    return this.#raised?.attached ?? [];
  }

  /**
   * Connects that met no guard: another one was preempted in it on the same CPU. The gate still stands behind it.
   * Undefined where nobody may ask the kernel: unknown is not 0.
   */
  get missed(): number | undefined {
    const counts = this.guard.map(({ link }) => this.#agent.native.linkInfo(link).missed);
    return counts.reduce(
      (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
      0,
    );
  }

  /** Why stronger levels do not hold. */
  get reasons(): ReadonlyMap<GuardLevel, string> {
    return this.#raised?.reasons ?? new Map();
  }

  /**
   * Proves and takes the level; does nothing the second time. A panic opens every hook, so no level can be
   * proven under it: a guard that stands is left as it is. Throws KerngateError (degraded).
   */
  async climb(): Promise<void> {
    const { native, paths, adopted, modes, proof, clock, state, maps } = this.#agent;
    if (this.#raised || modes.isPanic) return;
    const guards = { native, pin: paths.pin, control: maps.control, adopted };
    this.#raised = await proof.with((canary) =>
      raiseLevel(guards, this.#wanted, (level) => tryGuard(canary, level, clock.bootNs())),
    );
    state.ledger.level = this.level;
  }

  close(): void {
    this.#raised?.close();
    this.#raised = undefined;
  }
}

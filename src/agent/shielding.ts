/** The option `shield`: held while the agent ticks and level lsm stands, told as degraded when it cannot be. */
import { SHIELD, Shield } from '../kernel/shield.js';
import type { Agent } from './agent.js';

const TROUBLE = 'shield';

export class Shielding {
  readonly #agent: Agent;
  #shield: Shield | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** Each second, and at once when the level was raised: what is ours may have changed, and the time runs out. */
  renew(): void {
    const { config, troubles } = this.#agent;
    if (!config.shield) return;
    const why = this.#whyNot() ?? this.#raise();
    if (why === undefined) {
      troubles.delete(TROUBLE);
      return;
    }
    this.lower();
    troubles.set(TROUBLE, `the shield does not hold: ${why}`);
  }

  lower(): void {
    this.#agent.maps.control.set('SHIELD', 0);
  }

  /** What cannot be written down (a pin folder somebody mounted over) must not keep upkeep from its other work. */
  #raise(): string | undefined {
    const { native, paths, maps, hooks, clock } = this.#agent;
    this.#shield ??= new Shield(native, paths.pin, maps);
    try {
      this.#shield.raise(hooks, clock.bootNs());
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }

  #whyNot(): string | undefined {
    const { level, hooks } = this.#agent;
    if (level !== 'lsm') return `it needs level lsm, and this is level ${level}`;
    const attached = new Set(hooks.map(({ program }) => program));
    const absent = SHIELD.filter((name) => !attached.has(name));
    return absent.length === 0 ? undefined : `this kernel did not take ${absent.join(', ')}`;
  }
}

/** Changes of mode and panics, carried through: control slots, rules, ledger, kernel entries, report. */

import type { Peer } from '../control/api.js';
import type { Trip } from '../decide/breaker.js';
import { counted } from '../lib/counted.js';
import type { LedgerEntry, Mode } from '../model/decision.js';
import { modeLine } from '../report/lines.js';
import type { Agent } from './agent.js';

export class ModeSwitch {
  /** Times the breaker opened everything. */
  trips = 0;
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** Switches, proves the new mode, and goes back to audit when it does not hold; then throws. */
  async to(mode: Mode, confirmWithinNs?: number): Promise<void> {
    const { modes } = this.#agent;
    if (mode === 'audit') modes.audit();
    else modes.enforce(confirmWithinNs);
    this.#apply();
    try {
      await this.#agent.prove();
    } catch (error) {
      modes.audit();
      this.#apply();
      throw error;
    }
  }

  /** Opens everything at once; answers how many decisions were lifted. */
  panic(peer?: Peer): number {
    return this.#panicked(this.#agent.modes.panic(), peer);
  }

  /** The breaker: in enforce mode every live deny becomes audit before anything is said; in audit it is told. */
  trip({ reason, isReal }: Trip): void {
    const { modes, reporter, say } = this.#agent;
    if (isReal) {
      modes.trip(reason);
      this.trips++;
      this.#apply();
    }
    reporter.audit.note('breaker', { reason, tripped: isReal });
    if (!isReal) {
      say(`breaker: with mode enforce it would trip now: ${reason}`);
      return;
    }
    reporter.audit.mode('enforce', 'audit', `the circuit breaker tripped: ${reason}`);
    say(
      modeLine(
        'audit',
        `the circuit breaker tripped: ${reason}; nothing is denied until kerngate mode enforce`,
      ),
    );
  }

  /** Obeys a panic that was declared past the agent. */
  followPanic(): void {
    const lifted = this.#agent.modes.followPanic();
    if (lifted) this.#panicked(lifted);
  }

  /** Back to audit when enforcement was to be confirmed and was not; the hooks did so by themselves already. */
  revertWhenUnconfirmed(): boolean {
    const { modes, reporter, say } = this.#agent;
    if (!modes.revertWhenUnconfirmed()) return false;
    this.#apply();
    reporter.audit.mode('enforce', 'audit', 'not confirmed in time');
    say(modeLine('audit', 'enforcement was not confirmed in time'));
    return true;
  }

  #panicked(lifted: readonly LedgerEntry[], peer?: Peer): number {
    const { sync, reporter, say } = this.#agent;
    sync.clear(new Set(lifted.map(({ id }) => id)));
    this.#apply();
    reporter.audit.panic(lifted.length, peer);
    say(`panic: ${counted(lifted.length, 'block')} lifted; nothing is denied until kerngate mode enforce`);
    return lifted.length;
  }

  #apply(): void {
    const { policies, maps, modes, pipeline } = this.#agent;
    policies.install(maps, modes.mode);
    pipeline.enforce();
  }
}

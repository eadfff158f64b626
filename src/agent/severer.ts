/** Ends open sockets for the decisions that ask for it: one at a time, off the loop, once each has come into force. */
import { sever } from '../enforce/sever.js';
import type { LedgerEntry, Severed } from '../model/decision.js';
import { subjectKey } from '../model/subject.js';
import type { Agent } from './agent.js';
import { severView } from './members.js';
import { isEnforced } from './stages.js';

export class Severer {
  readonly counts = { closed: 0, kept: 0, failed: 0 };
  readonly #agent: Agent;
  readonly #taken = new Set<string>();
  #line: Promise<unknown> = Promise.resolve();
  #isWoken = false;
  #isStopped = false;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /**
   * A decision was made: its sockets are looked for when this turn of the loop is over, for by then its entries
   * are in the kernel, and nothing new can be opened behind the walk.
   */
  wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#takeNew();
    });
  }

  /** For one decision, now; answers what became of its sockets, undefined when it has been lifted meanwhile. */
  now(id: string): Promise<Severed | undefined> {
    this.#taken.add(id);
    const work = this.#line.then(() => this.#run(id));
    this.#line = work;
    return work;
  }

  /** What is begun is finished. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#line;
  }

  #takeNew(): void {
    const wanted = this.#agent.state.ledger.entries().filter((entry) => entry.sever);
    const live = new Set(wanted.map(({ id }) => id));
    for (const id of this.#taken) if (!live.has(id)) this.#taken.delete(id);
    for (const { id } of wanted) if (!this.#taken.has(id)) void this.now(id);
  }

  #entry(id: string): LedgerEntry | undefined {
    return this.#isStopped ? undefined : this.#agent.state.ledger.entries().find((entry) => entry.id === id);
  }

  /** Never throws: what went wrong is told, and the decision holds all the same. */
  async #run(id: string): Promise<Severed | undefined> {
    const { state, host, scope, native, reporter } = this.#agent;
    const entry = this.#entry(id);
    if (entry === undefined) return undefined;
    const isDry = !isEnforced(this.#agent, id);
    const isOver = (): boolean => this.#isStopped || !isEnforced(this.#agent, id);
    const view = severView(host, state.guardrails, scope, entry, isOver);
    try {
      const severed = await sever(native, view, isDry);
      if (!isDry) this.#count(severed);
      state.ledger.noteSevered(id, severed);
      reporter.audit.note('severed', { decision: id, ...severed });
      return severed;
    } catch (error) {
      const why = (error as Error).message;
      this.#agent.say(`sever: ${subjectKey(entry.subject)}: ${why}`);
      const failed = { closed: 0, kept: 0, failed: 1, why };
      this.#count(failed);
      state.ledger.noteSevered(id, failed);
      return failed;
    }
  }

  #count({ closed, kept, failed }: Severed): void {
    this.counts.closed += closed;
    this.counts.kept += kept;
    this.counts.failed += failed;
  }
}

/** What of it does not hold, as a clause; undefined when all does. */
export const severTrouble = ({ failed, why }: Severed): string | undefined => {
  if (failed === 0 && why === undefined) return undefined;
  return `${failed} open sockets could not be ended${why === undefined ? '' : `: ${why}`}`;
};

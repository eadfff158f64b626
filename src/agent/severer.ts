/** Sees to the sockets that are open when a decision comes into force: says whose they are, and ends them if it asks so. */
import type { SubjectView } from '../enforce/holders.js';
import { sever } from '../enforce/sever.js';
import type { LedgerEntry, Severed } from '../model/decision.js';
import { subjectKey } from '../model/subject.js';
import type { Agent } from './agent.js';
import { Holding, reachesOpen } from './holding.js';
import { subjectView } from './members.js';
import { isEnforced } from './stages.js';

/** What was done about them. */
export interface SawTo {
  /** Undefined when the decision does not ask for it, or has been lifted meanwhile. */
  readonly severed?: Severed;
  /** Whose they are could not be said everywhere. */
  readonly trouble?: string;
}

/** One decision at a time, off the loop. */
export class Severer {
  readonly counts = { closed: 0, kept: 0, failed: 0 };
  readonly holding: Holding;
  readonly #agent: Agent;
  readonly #taken = new Set<string>();
  #line: Promise<unknown> = Promise.resolve();
  #isWoken = false;
  #isStopped = false;

  constructor(agent: Agent) {
    this.#agent = agent;
    this.holding = new Holding(agent);
  }

  /** What is older than the agent comes first, then what an agent before this one did not come to do. */
  begin(): void {
    this.#line = this.#line.then(() => this.holding.older(() => this.#isStopped));
    this.wake();
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

  /** For one decision, now. */
  now(id: string): Promise<SawTo> {
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
    const wanted = this.#agent.state.ledger.entries().filter(reachesOpen);
    const live = new Set(wanted.map(({ id }) => id));
    for (const id of this.#taken) if (!live.has(id)) this.#taken.delete(id);
    this.holding.forget((id) => live.has(id));
    for (const { id } of wanted) if (!this.#taken.has(id)) void this.now(id);
  }

  #entry(id: string): LedgerEntry | undefined {
    return this.#isStopped ? undefined : this.#agent.state.ledger.entries().find((entry) => entry.id === id);
  }

  /** Never throws: what went wrong is told, and the decision holds all the same. */
  async #run(id: string): Promise<SawTo> {
    const entry = this.#entry(id);
    if (entry === undefined) return {};
    const trouble = await this.holding.of(
      entry,
      this.#view(entry, () => this.#entry(id) === undefined),
    );
    if (trouble !== undefined) this.#agent.say(`${subjectKey(entry.subject)}: ${trouble}`);
    const severed = entry.sever ? await this.#sever(entry) : undefined;
    return { ...(severed && { severed }), ...(trouble !== undefined && { trouble }) };
  }

  #view(entry: LedgerEntry, isOver: () => boolean): SubjectView {
    const { state, host, scope } = this.#agent;
    return subjectView(host, state.guardrails, scope, entry, isOver);
  }

  async #sever(entry: LedgerEntry): Promise<Severed> {
    const { state, native, reporter } = this.#agent;
    const { id } = entry;
    const isDry = !isEnforced(this.#agent, id);
    const isOver = (): boolean => this.#isStopped || !isEnforced(this.#agent, id);
    try {
      const severed = await sever(native, this.#view(entry, isOver), isDry);
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

/** Drift: what others detached, unpinned, unmounted or changed is put back, counted, and told once. */
import type { Repair } from '../kernel/keeper.js';
import { startTickOf } from '../lib/proc.js';
import type { Outcome } from '../model/outcome.js';
import { parseProcessId, type SubjectKind } from '../model/subject.js';
import type { Agent } from './agent.js';

/** Subjects that stand for one key in the kernel: nothing but drift puts such an entry in twice. */
const SINGLE: ReadonlySet<SubjectKind> = new Set(['process', 'cgroup', 'session', 'user']);

export class Drift {
  /** Repairs that were made. */
  repaired = 0;
  readonly #agent: Agent;
  /** What cannot be repaired, as it was told. */
  #failing = '';
  #version = -1;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** Programs, links and pins. */
  check(): void {
    const { sensor, ladder } = this.#agent;
    const repairs = sensor.keeper.check(ladder.guard);
    const done = repairs.filter(({ error }) => error === undefined);
    for (const { what } of done) this.#tell(what);
    const failed = repairs.filter(({ error }) => error !== undefined).map(textOf);
    const { troubles, say, reporter } = this.#agent;
    const text = failed.join('; ');
    if (text !== '' && text !== this.#failing) {
      say(`drift: ${text}`);
      reporter.audit.note('drift', { what: text, repaired: false });
    }
    if (text === '') troubles.delete('drift');
    else troubles.set('drift', text);
    this.#failing = text;
  }

  /**
   * Entries of verdicts: one that had to be written although nothing was decided was taken away. `isDue`:
   * something else than a decision has changed, so that nothing can be told.
   */
  compare(isDue: boolean): void {
    const { pipeline, state } = this.#agent;
    const { version } = state.ledger;
    const isSame = version === this.#version && !isDue;
    this.#version = version;
    const outcomes = pipeline.enforce();
    if (!isSame) return;
    const lost = outcomes.filter(isLost);
    if (lost.length === 0) return;
    const names = lost.slice(0, 8).map(({ subject }) => subject.name);
    this.#tell(`${lost.length} verdicts were gone or changed in the kernel (${names.join(', ')})`);
  }

  #tell(what: string): void {
    this.repaired++;
    this.#agent.say(`drift: ${what}; put right`);
    this.#agent.reporter.audit.note('drift', { what, repaired: true });
  }
}

/** The kernel itself takes out what belongs to a process that exits. */
const isLost = ({ did, subject: { kind, id } }: Outcome): boolean => {
  if (did !== 'applied' || !SINGLE.has(kind)) return false;
  const process = kind === 'process' ? parseProcessId(id) : undefined;
  return process === undefined || startTickOf(process.pid) === process.startTick;
};

const textOf = ({ what, error }: Repair): string => `${what}, and cannot be put right: ${error}`;

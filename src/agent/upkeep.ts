/** What happens with time: lease, ends of blocks, repair of drift, sweeping, the minute's line. */
import { sweepWindows } from '../kernel/sweep.js';
import { readStat } from '../lib/proc.js';
import { parseProcessId } from '../model/subject.js';
import type { Agent } from './agent.js';
import { livingProcesses } from './host.js';
import { installLocals } from './locals.js';
import { minuteLine } from './status.js';

const TICK_MS = 1000;
/** The record of a decision's end is on its ring well within this time after the end (ns). */
const SETTLE_NS = 100e6;
/** Ticks between two full comparisons with the kernel. */
const SYNC_EVERY = 10;
/** Between two comparisons of the verdicts alone. */
const COMPARE_EVERY = 3;
const SWEEP_EVERY = 30;
/** Ticks between two looks for an sshd or a name server that was started since. */
const VITAL_EVERY = 5;
const COUNTS_EVERY = 60;
/** Subjects whose members change while a block of them is in force, whoever set it. */
const FOLLOWED: ReadonlySet<string> = new Set(['unit', 'container']);

export class Upkeep {
  readonly #agent: Agent;
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #dropped = 0;
  /** Infinity when nothing is in force. */
  #nextEndNs = Number.POSITIVE_INFINITY;
  #full = 0;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  start(): void {
    this.#timer = setInterval(() => this.#guarded(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A failure of upkeep must not end the agent; it is told, and tried again at the next tick. */
  #guarded(): void {
    try {
      this.#tick();
      this.#agent.troubles.delete('upkeep');
    } catch (error) {
      if (!this.#agent.troubles.has('upkeep')) this.#agent.say(`upkeep: ${(error as Error).stack}`);
      this.#agent.troubles.set('upkeep', `upkeep fails: ${(error as Error).message}`);
    }
  }

  #tick(): void {
    const { modes, state, reporter, pipeline, clock, policies, maps, host, drift } = this.#agent;
    this.#ticks++;
    modes.renewLease();
    if (maps.control.number('BARRED') < clock.bootNs()) maps.control.set('BARRED', 0);
    state.journal.poll();
    policies.writeNames();
    installLocals(maps, this.#agent.config.locals);
    reporter.audit.recover();
    this.#agent.modeSwitch.followPanic();
    this.#agent.modeSwitch.revertWhenUnconfirmed();
    drift.check();
    this.#agent.shielding.renew();
    const dropped = maps.counters.get('VD_DROPPED');
    if (dropped !== this.#dropped || this.#ticks % SYNC_EVERY === 0) this.#sync(dropped);
    const isEnded = this.#expire();
    const over = state.allow.expire(clock.bootNs());
    if (policies.executablesChanged()) policies.install(maps, modes.mode);
    if (this.#ticks % VITAL_EVERY === 0) host.vitals.refresh();
    const isDue = host.vitals.takeChange() || isEnded || over.length > 0 || this.#follows();
    if (this.#ticks % COMPARE_EVERY === 0) drift.compare(isDue);
    else if (isDue) pipeline.enforce();
    this.#sweep();
    if (this.#ticks % COUNTS_EVERY === 0) this.#agent.say(minuteLine(this.#agent));
  }

  #sync(dropped: number): void {
    this.#dropped = dropped;
    this.#agent.adopt('its window is gone');
  }

  /** The kernel's windows keep the count of an ended decision until the next attempt: it is read before. */
  #expire(): boolean {
    const { state, sync, reporter, clock, native, ring } = this.#agent;
    const overNs = clock.bootNs() - SETTLE_NS;
    if (this.#nextEndNs <= overNs) {
      /* a window that was begun anew since has sent its last count ahead: both together miss none */
      sync.refreshHits();
      native.ringDrain(ring);
      this.#nextEndNs = Number.POSITIVE_INFINITY;
    }
    const ended = state.ledger.expire(overNs);
    reporter.ended(ended, 'expired');
    for (const { untilNs } of state.ledger.entries()) this.#nextEndNs = Math.min(this.#nextEndNs, untilNs);
    /* another decision may want the key of one that is over */
    return ended.some(({ pushed }) => !pushed);
  }

  #follows(): boolean {
    return this.#agent.state.ledger.entries().some(({ subject }) => FOLLOWED.has(subject.kind));
  }

  #sweep(): void {
    const { maps, policies, clock, state } = this.#agent;
    const full = maps.counters.get('WIN_FULL');
    const crowded = full !== this.#full;
    if (!crowded && this.#ticks % SWEEP_EVERY !== 0) return;
    this.#full = full;
    const living = livingProcesses();
    const { windows, shared } = sweepWindows(
      maps,
      policies.rules,
      clock.bootNs(),
      crowded,
      // One that was born since the list was made is no dead one.
      (pid, tick) => living.get(pid) === tick || readStat(pid)?.startTick === tick,
    );
    this.#agent.swept += windows + shared;
    for (const { entry } of state.guardrails.protected()) {
      const process = entry.subject.kind === 'process' ? parseProcessId(entry.subject.id) : undefined;
      if (entry.by === 'birth' && process && living.get(process.pid) !== process.startTick) {
        state.guardrails.forget(process.pid, process.startTick);
      }
    }
  }
}

/** Audit and enforce, panic and confirmation: the control slots and the ledger, changed together. */

import { KG_MODE } from '../abi/generated.js';
import type { Ledger } from '../decide/ledger.js';
import type { Maps } from '../kernel/maps.js';
import type { Clock } from '../lib/clock.js';
import type { Mode } from '../model/decision.js';

/** How long enforcement goes on making new denies without an agent. */
const LEASE_NS = 15 * 60 * 1e9;

/** The mode an agent begins with, and what keeps one in audit that was to enforce. */
export interface Begun {
  readonly mode: Mode;
  readonly why?: 'panic' | 'unconfirmed' | 'tripped';
}

export class Modes {
  readonly #maps: Maps;
  readonly #ledger: Ledger;
  readonly #clock: Clock;

  constructor(maps: Maps, ledger: Ledger, clock: Clock) {
    this.#maps = maps;
    this.#ledger = ledger;
    this.#clock = clock;
  }

  get mode(): Mode {
    return this.#maps.control.number('MODE') === KG_MODE.ENFORCE ? 'enforce' : 'audit';
  }

  get isPanic(): boolean {
    return this.#maps.control.get('PANIC') !== 0n;
  }

  /** The breaker keeps the agent in audit. */
  get isTripped(): boolean {
    return this.#ledger.tripped !== undefined;
  }

  /** Nanoseconds since boot at which unconfirmed enforcement ends; 0 when there is nothing to confirm. */
  get confirmNs(): number {
    return this.#maps.control.number('CONFIRM');
  }

  renewLease(): void {
    this.#maps.control.set('LEASE', Math.round(this.#clock.bootNs() + LEASE_NS));
  }

  /**
   * The mode the agent begins with. A panic, also one declared while no agent ran, keeps it in audit; so
   * does enforcement that nobody confirmed in time, and a breaker that nobody armed again.
   */
  begin(wanted: Mode): Begun {
    if (this.isPanic || this.#ledger.panicked) {
      this.followPanic();
      return { mode: 'audit', why: 'panic' };
    }
    if (this.revertWhenUnconfirmed()) return { mode: 'audit', why: 'unconfirmed' };
    if (this.isTripped) {
      if (this.mode === 'enforce') this.audit();
      return { mode: 'audit', why: 'tripped' };
    }
    if (wanted === 'enforce') this.#promote();
    else if (this.mode === 'enforce' || this.#ledger.mode === 'enforce') this.audit();
    return { mode: this.mode };
  }

  /** Every live deny counts as audit from this moment on. */
  audit(): void {
    const atNs = this.#demote();
    this.#maps.control.set('CONFIRM', 0);
    this.#ledger.setMode('audit', atNs);
  }

  /** The breaker has tripped: audit, and so it stays over restarts. */
  trip(reason: string): void {
    const atNs = this.#demote();
    this.#maps.control.set('CONFIRM', 0);
    this.#ledger.trip(reason, atNs);
  }

  /** Clears a panic and arms the breaker. What was set before stays what it was: nothing old is promoted. */
  enforce(confirmWithinNs?: number): void {
    this.revertWhenUnconfirmed();
    const atNs = Math.round(this.#clock.bootNs());
    if (this.mode === 'audit' || this.isPanic) this.#maps.control.set('DEMOTED', atNs);
    this.#maps.control.set('CONFIRM', confirmWithinNs === undefined ? 0 : Math.round(atNs + confirmWithinNs));
    this.#promote();
    this.#maps.control.set('PANIC', 0);
  }

  confirm(): void {
    this.#maps.control.set('CONFIRM', 0);
  }

  /** True when unconfirmed enforcement has just ended. */
  revertWhenUnconfirmed(): boolean {
    if (this.confirmNs === 0 || this.confirmNs > this.#clock.bootNs()) return false;
    this.audit();
    return true;
  }

  /**
   * A command may have set the latch straight in the kernel, or written the panic into the journal only.
   * Answers what that lifted; undefined when there is no panic, or all agrees with it already.
   */
  followPanic(): ReturnType<Ledger['panic']> | undefined {
    const latches = [this.isPanic, this.#ledger.panicked];
    if (!latches.includes(true)) return undefined;
    return latches.includes(false) || this.mode !== 'audit' ? this.panic() : undefined;
  }

  /** The hooks open at once; the ledger follows. */
  panic(): ReturnType<Ledger['panic']> {
    this.#maps.control.set('PANIC', 1);
    this.#demote();
    this.#maps.control.set('CONFIRM', 0);
    return this.#ledger.panic();
  }

  #demote(): number {
    const atNs = Math.round(this.#clock.bootNs());
    this.#maps.control.set('MODE', KG_MODE.AUDIT);
    this.#maps.control.set('DEMOTED', atNs);
    return atNs;
  }

  #promote(): void {
    const { mode, panicked, tripped } = this.#ledger;
    if (mode !== 'enforce' || panicked || tripped) {
      this.#ledger.setMode('enforce', Math.round(this.#clock.bootNs()));
    }
    this.#maps.control.set('MODE', KG_MODE.ENFORCE);
  }
}

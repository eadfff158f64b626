/** The time of a replay: that of the event at hand, and nothing else. */
import type { Captured } from '../capture/captured.js';
import type { Clock } from '../lib/clock.js';

/** Latest moment RFC 3339 can write, in ms; what lies beyond is shown as this one. */
const LATEST_MS = 253_402_300_799_999;

/** RFC 3339, UTC, milliseconds, of any RFC 3339 text. */
export const canonicalTime = (at: string): string => new Date(Date.parse(at)).toISOString();

/**
 * Wall time is read off the event: its `at` and its `boot_ns` are the same moment. So a wall clock
 * that was set during the capture moves nothing but the texts.
 */
export class VirtualClock implements Clock {
  /** Undefined before the first event. */
  #event: Captured | undefined;
  readonly #startedMs: number;
  /** NaN: not yet worked out for this event. */
  #offsetMs = Number.NaN;

  /** `started`: the wall time until the first event. */
  constructor(started: string) {
    this.#startedMs = Date.parse(started) || 0;
  }

  /** It is now the moment of `event`, until the next call. */
  set(event: Captured): void {
    this.#event = event;
    this.#offsetMs = Number.NaN;
  }

  bootNs(): number {
    return this.#event?.atNs ?? 0;
  }

  wall(bootNs: number): string {
    if (Number.isNaN(this.#offsetMs)) this.#offsetMs = this.#offset();
    // Times are whole milliseconds: rounding takes the error of the sum away again.
    return new Date(Math.min(LATEST_MS, Math.round(this.#offsetMs + bootNs / 1e6))).toISOString();
  }

  #offset(): number {
    return this.#event ? Date.parse(this.#event.at) - this.#event.atNs / 1e6 : this.#startedMs;
  }
}

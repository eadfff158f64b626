/** Outcomes of attempts that a replay denied: they happened in the capture, so they must not happen here. */
import { BoundedMap } from '../decide/bounded-map.js';
import type { ReplayEvent } from './event.js';

const KEYS = 65_536;
/** Attempts of one process to one endpoint that wait for their outcome. */
const WAITING = 64;

/**
 * The kernel reports of a connection first the attempt, then what became of it. Both name process and
 * endpoint, and attempts of one process to one endpoint are taken to end in the order they began.
 */
export class Outcomes {
  /** By process and endpoint: for each attempt under way whether it was refused. */
  readonly #waiting = new BoundedMap<boolean[]>(KEYS);

  /** True for an outcome of an attempt that was refused. */
  isRefused(event: ReplayEvent): boolean {
    if (event.kind !== 'connect.ok' && event.kind !== 'connect.fail') return false;
    return this.#waiting.get(keyOf(event))?.shift() ?? false;
  }

  note(event: ReplayEvent, isRefused: boolean): void {
    if (event.kind !== 'connect' || event.proto === 'udp') return;
    const key = keyOf(event);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, [isRefused]);
    else if (waiting.push(isRefused) > WAITING) waiting.shift();
  }
}

const keyOf = ({ pid, startTick, dstIp, dstPort }: ReplayEvent): string =>
  `${pid}@${startTick} ${dstIp} ${dstPort}`;

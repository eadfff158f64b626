/** Clients that follow events: a stream of JSON Lines each, bounded in number and in what may pile up. */
import type { ServerResponse } from 'node:http';
import { EXIT } from '../model/error.js';
import type { ControlApi, EventFilter } from './api.js';
import { type ErrorBody, Refusal } from './reply.js';

export interface FollowLimits {
  readonly maxFollowers: number;
  /** Bytes that may wait for a follower; one burst of events, taken in one turn of the loop, must fit. */
  readonly maxWaitingBytes: number;
  /** How long a dropped follower has to read what still waits for it. */
  readonly graceMs: number;
}

const DROPPED: ErrorBody = {
  error: 'this stream was ended: its reader was too slow',
  remedy: 'Follow fewer events (--kind, --pid, --policy), or read them faster.',
  exit: EXIT.failed,
};

export class Followers {
  readonly #limits: FollowLimits;
  readonly #open = new Map<ServerResponse, () => void>();
  dropped = 0;

  constructor(limits: FollowLimits) {
    this.#limits = limits;
  }

  get count(): number {
    return this.#open.size;
  }

  /** Streams events into `response` until its client leaves, reads too slowly, or `endAll`. */
  add(api: ControlApi, filter: EventFilter, response: ServerResponse): void {
    if (this.#open.size >= this.#limits.maxFollowers) {
      throw new Refusal(
        503,
        `${this.#limits.maxFollowers} clients follow events already`,
        'End one of them.',
      );
    }
    response.socket?.setTimeout(0); // Silence is normal here; a client that left shows as 'close'.
    response.once('close', () => this.#remove(response));
    const stop = api.follow(filter, (event) => this.#send(response, event));
    this.#open.set(response, stop);
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' });
    response.flushHeaders();
  }

  /** Ends every stream; the agent is stopping. */
  endAll(): void {
    for (const response of [...this.#open.keys()]) {
      this.#remove(response);
      response.end();
    }
  }

  #send(response: ServerResponse, event: unknown): void {
    if (!this.#open.has(response)) return;
    if (response.writableLength > this.#limits.maxWaitingBytes) this.#drop(response);
    else response.write(`${JSON.stringify(event)}\n`);
  }

  #drop(response: ServerResponse): void {
    this.dropped++;
    this.#remove(response);
    response.end(`${JSON.stringify(DROPPED)}\n`);
    const timer = setTimeout(() => response.destroy(), this.#limits.graceMs).unref();
    response.once('close', () => clearTimeout(timer));
  }

  #remove(response: ServerResponse): void {
    this.#open.get(response)?.();
    this.#open.delete(response);
  }
}

/** Clients that follow events: a stream of JSON Lines each, bounded in number and in what may pile up. */
import type { ServerResponse } from 'node:http';
import { EXIT } from '../model/error.js';
import type { ControlApi, EventFilter, EventSink } from './api.js';
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
    const stream = filter.capture ? new CaptureStream(response, this.#limits) : this.#plain(response);
    this.#open.set(response, api.follow(filter, stream));
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

  #plain(response: ServerResponse): EventSink {
    return { event: (event) => this.#send(response, event), hasRoom: () => true };
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

/** A capture says what it lost: a burst its reader cannot take in time costs events, and is counted. */
class CaptureStream implements EventSink {
  readonly #response: ServerResponse;
  readonly #most: number;
  #dropped = 0;
  #isOver = false;

  constructor(response: ServerResponse, { maxWaitingBytes }: FollowLimits) {
    this.#response = response;
    this.#most = maxWaitingBytes;
    response.on('drain', () => this.#tell());
    // Before the server's own listener, which closes the other half at once.
    response.socket?.prependOnceListener('end', () => this.#end());
  }

  event(event: unknown): void {
    if (this.#dropped > 0) this.#tell();
    this.#response.write(`${JSON.stringify(event)}\n`);
  }

  hasRoom(): boolean {
    if (this.#isOver) return false;
    const hasRoom = this.#response.writableLength <= this.#most;
    if (!hasRoom) this.#dropped++;
    return hasRoom;
  }

  /** The reader closed its half: it takes what there is, and then knows all that it missed. */
  #end(): void {
    this.#tell();
    this.#isOver = true;
    this.#response.end();
  }

  #tell(): void {
    if (this.#dropped === 0 || this.#response.writableEnded) return;
    this.#response.write(`${JSON.stringify({ dropped: this.#dropped })}\n`);
    this.#dropped = 0;
  }
}

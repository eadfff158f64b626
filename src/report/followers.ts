/** Those who follow the stream of events; nobody follows, nobody pays. */
import { KerngateError } from '../model/error.js';
import type { Event, EventView } from '../model/event.js';

interface Follower {
  readonly matches: (event: EventView) => boolean;
  readonly onEvent: (event: Event) => void;
}

export class Followers {
  /** Followers dropped because handing them an event failed. */
  dropped = 0;
  readonly #max: number;
  readonly #followers = new Set<Follower>();

  constructor(max = 64) {
    this.#max = max;
  }

  get size(): number {
    return this.#followers.size;
  }

  /** Calls `onEvent` for each matching event until the returned function is called. */
  follow(matches: Follower['matches'], onEvent: Follower['onEvent']): () => void {
    if (this.#followers.size >= this.#max) {
      throw new KerngateError(`${this.#max} clients already follow the events`, {
        remedy: 'End one of them, or read the recent events without --follow.',
      });
    }
    const follower = { matches, onEvent };
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  /** The event is turned into JSON once, and only when somebody wants it. */
  publish(view: EventView): void {
    let event: Event | undefined;
    for (const follower of this.#followers) {
      try {
        if (!follower.matches(view)) continue;
        event ??= view.snapshot();
        follower.onEvent(event);
      } catch {
        // One client's broken connection must stop neither the pipeline nor the other clients.
        this.#followers.delete(follower);
        this.dropped++;
      }
    }
  }
}

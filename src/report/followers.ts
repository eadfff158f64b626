/** Those who follow the stream of events; nobody follows, nobody pays. */
import { KerngateError } from '../model/error.js';
import type { Event, EventView } from '../model/event.js';

/** An event that can also be written out for a capture. */
export interface Followed extends EventView {
  captured?(): Event;
}

export interface FollowOptions {
  /** True: events come with what a replay needs. */
  readonly isCapture?: boolean;
  /** False: the event goes by, and costs nothing. */
  readonly hasRoom?: () => boolean;
}

interface Follower extends FollowOptions {
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
  follow(
    matches: Follower['matches'],
    onEvent: Follower['onEvent'],
    options: FollowOptions = {},
  ): () => void {
    if (this.#followers.size >= this.#max) {
      throw new KerngateError(`${this.#max} clients already follow the events`, {
        remedy: 'End one of them, or read the recent events without --follow.',
      });
    }
    const follower = { matches, onEvent, ...options };
    this.#followers.add(follower);
    return () => {
      this.#followers.delete(follower);
    };
  }

  /** The event is written out once in each form, and only when somebody wants it. */
  publish(view: Followed): void {
    let event: Event | undefined;
    let captured: Event | undefined;
    for (const follower of this.#followers) {
      try {
        if (!follower.matches(view) || follower.hasRoom?.() === false) continue;
        if (follower.isCapture && view.captured) {
          captured ??= view.captured();
          follower.onEvent(captured);
        } else {
          event ??= view.snapshot();
          follower.onEvent(event);
        }
      } catch {
        // One client's broken connection must stop neither the pipeline nor the other clients.
        this.#followers.delete(follower);
        this.dropped++;
      }
    }
  }
}

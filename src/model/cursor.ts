/** A reusable view over the columns a ring was drained into. Type only. */
import type { EventView } from './event.js';

export interface EventCursor extends EventView {
  /** Points the view at record `index`; all it said before is void. */
  load(index: number): void;
}

/** Makes a cursor over columns laid out as `words` × `capacity` (see `Native.ringOpen`). */
export type CursorFactory = (columns: Uint32Array, capacity: number) => EventCursor;

/** A reusable view over the records a ring was drained into. Type only. */
import type { EventView } from './event.js';

export interface EventCursor extends EventView {
  /** Points the view at record `index`; all it said before is void. */
  load(index: number): void;
}

/** Makes a cursor over records laid out as rows (see `Native.ringOpen`). */
export type CursorFactory = (rows: Uint32Array) => EventCursor;

/** The same exact rule in three layouts: more than LIMIT events of a key within a window, which then ends. */
import { LRUCache } from 'lru-cache';
import { WindowTable } from '../../src/lib/window-table.js';

export const LIMIT = 5;
export const WITHIN_NS = 10e9;

/** A stretch of the stream: `lo` and `hi` of event i, and its time `startNs + i * stepNs`. */
export interface Stretch {
  readonly lo: Uint32Array;
  readonly hi: Uint32Array;
  readonly startNs: number;
  readonly stepNs: number;
}

/** Counts a stretch; returns how often the limit was crossed. */
export type Layout = (stretch: Stretch) => number;

/** What the detector `burst` does for a policy that blocks. */
export const windowTable = (keys: number): Layout => {
  const table = new WindowTable({ slots: LIMIT + 1, capacity: keys, withinNs: WITHIN_NS });
  return ({ lo, hi, startNs, stepNs }) => {
    let alarms = 0;
    for (let i = 0; i < lo.length; i++) {
      const at = startNs + i * stepNs;
      const [low, high] = [lo[i] as number, hi[i] as number];
      const row = table.touch(low, high, at);
      if (table.nth(row, LIMIT - 1) > at - WITHIN_NS) {
        table.remove(low, high);
        alarms++;
      } else table.add(row, at);
    }
    if (table.evictions > 0) throw new Error('the table gave keys up: it is too small for the stream');
    return alarms;
  };
};

interface Lists {
  get(key: number): number[] | undefined;
  set(key: number, list: number[]): unknown;
  delete(key: number): unknown;
}

const pushShift =
  (lists: Lists): Layout =>
  ({ lo, startNs, stepNs }) => {
    let alarms = 0;
    for (let i = 0; i < lo.length; i++) {
      const at = startNs + i * stepNs;
      const key = lo[i] as number;
      let list = lists.get(key);
      if (list === undefined) {
        list = [];
        lists.set(key, list);
      }
      while (list.length > 0 && (list[0] as number) <= at - WITHIN_NS) list.shift();
      if (list.length >= LIMIT) {
        lists.delete(key);
        alarms++;
      } else list.push(at);
    }
    return alarms;
  };

/** The usual bounded cache of arrays. */
export const lruArrays = (keys: number): Layout => pushShift(new LRUCache<number, number[]>({ max: keys }));

/** A list per key, filtered at each event. */
export const naiveList = (): Layout => {
  const lists = new Map<number, number[]>();
  return ({ lo, startNs, stepNs }) => {
    let alarms = 0;
    for (let i = 0; i < lo.length; i++) {
      const at = startNs + i * stepNs;
      const key = lo[i] as number;
      const kept = (lists.get(key) ?? []).filter((stamp) => stamp > at - WITHIN_NS);
      if (kept.length >= LIMIT) {
        lists.delete(key);
        alarms++;
      } else {
        kept.push(at);
        lists.set(key, kept);
      }
    }
    return alarms;
  };
};

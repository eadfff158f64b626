/** Who descends from whom, by birth: adoption by PID 1 changes nothing. */
import type { Maps } from '../kernel/maps.js';
import { makeLru } from '../lib/lru.js';
import { processId } from '../model/subject.js';

/** Dead parents remembered, so that a tree stays whole when one in its middle has exited. */
const DEAD_MAX = 65_536;
const DEPTH_MAX = 4096;

export class Tree {
  readonly #maps: Maps | undefined;
  /** Parents forgotten for want of room: a tree may fall apart there. */
  forgotten = 0;
  readonly #parents = makeLru<string, { readonly id: string }>(DEAD_MAX, () => {
    this.forgotten++;
  });

  constructor(maps: Maps | undefined) {
    this.#maps = maps;
  }

  /** A birth was seen; kept beyond the exit of both. */
  born(child: string, parent: string): void {
    this.#parents.set(child, { id: parent });
  }

  parentOf(id: string): string | undefined {
    const [pid, tick] = id.split('@');
    const root = this.#maps?.lineage.get({ tgid: Number(pid), tick: BigInt(tick ?? 0) });
    if (root && root.parent_tgid !== 0) return processId(root.parent_tgid, Number(root.parent_tick));
    return this.#parents.get(id)?.id;
  }

  /** Ancestors by birth, nearest first. */
  above(id: string): string[] {
    const found: string[] = [];
    for (let at = this.parentOf(id); at !== undefined && found.length < DEPTH_MAX; at = this.parentOf(at)) {
      if (found.includes(at)) break;
      found.push(at);
    }
    return found;
  }

  /**
   * Before a walk: whoever is born from here on names an ancestor that lives now, so that nobody whose mother is
   * gone by the end of the walk is lost. `drain` brings in the births that were.
   */
  seal(drain: () => void): void {
    this.#maps?.control.set('EPOCH', this.#maps.control.number('EPOCH') + 1);
    drain();
  }

  /** The process itself, all its living descendants, and those of the dead their children are known by. */
  below(id: string): string[] {
    const inside = new Map<string, boolean>([[id, true]]);
    const entries = this.#maps?.lineage.entries() ?? [];
    const epoch = this.#maps?.control.number('EPOCH') ?? 0;
    const parents = new Map(
      entries.map(([key, { parent_tgid, parent_tick }]) => [idOf(key), named(parent_tgid, parent_tick)]),
    );
    const anchors = new Map(
      entries
        .filter(([, root]) => root.epoch === epoch)
        .map(([key, { anchor_tgid, anchor_tick }]) => [idOf(key), named(anchor_tgid, anchor_tick)]),
    );
    const isInside = (start: string): boolean => {
      const path: string[] = [];
      let at: string | undefined = start;
      let anchor: string | undefined;
      while (at !== undefined && !inside.has(at) && path.length < DEPTH_MAX) {
        path.push(at);
        anchor = anchors.get(at) ?? anchor;
        const parent: string | undefined = parents.get(at) ?? this.#parents.get(at)?.id;
        if (parent === undefined) {
          at = anchor;
          anchor = undefined;
        } else at = parent;
      }
      const answer = at !== undefined && inside.get(at) === true;
      for (const step of path) inside.set(step, answer);
      return answer;
    };
    const known = [id, ...parents.keys(), ...anchors.values()].flatMap((one) => one ?? []);
    return [...new Set(known)].filter(isInside);
  }
}

const named = (tgid: number, tick: bigint): string | undefined =>
  tgid === 0 ? undefined : processId(tgid, Number(tick));
const idOf = ({ tgid, tick }: { tgid: number; tick: bigint }): string => processId(tgid, Number(tick));

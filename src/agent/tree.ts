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

  /** The process itself and all its living descendants. */
  below(id: string): string[] {
    const inside = new Map<string, boolean>([[id, true]]);
    const parents = new Map(
      (this.#maps?.lineage.entries() ?? []).map(([key, root]) => [
        processId(key.tgid, Number(key.tick)),
        root.parent_tgid === 0 ? undefined : processId(root.parent_tgid, Number(root.parent_tick)),
      ]),
    );
    const isInside = (start: string): boolean => {
      const path: string[] = [];
      let at: string | undefined = start;
      while (at !== undefined && !inside.has(at) && path.length < DEPTH_MAX) {
        path.push(at);
        at = parents.get(at) ?? this.#parents.get(at)?.id;
      }
      const answer = at !== undefined && inside.get(at) === true;
      for (const step of path) inside.set(step, answer);
      return answer;
    };
    return [...new Set([id, ...parents.keys()])].filter(isInside);
  }
}

/** Many short lists of time stamps, each in ascending order, linked through typed arrays. */
import { enlarged } from '../../lib/bounded.js';

const NONE = -1;

/** Lists and nodes are numbered by the caller, who also says which are in use. */
export class StampLists {
  #first: Int32Array;
  #last: Int32Array;
  #length: Int32Array;
  #before: Int32Array;
  #after: Int32Array;
  #owner: Int32Array;
  #stamp: Float64Array;

  constructor(lists: number, nodes: number) {
    this.#first = new Int32Array(lists);
    this.#last = new Int32Array(lists);
    this.#length = new Int32Array(lists);
    this.#before = new Int32Array(nodes);
    this.#after = new Int32Array(nodes);
    this.#owner = new Int32Array(nodes);
    this.#stamp = new Float64Array(nodes);
  }

  /** Makes a list empty; its nodes must have been unlinked. */
  clear(list: number): void {
    this.#first[list] = NONE;
    this.#last[list] = NONE;
    this.#length[list] = 0;
  }

  length(list: number): number {
    return this.#length[list] as number;
  }

  /** The node with the least stamp; only of a list that is not empty. */
  first(list: number): number {
    return this.#first[list] as number;
  }

  /** The least stamp; only of a list that is not empty. */
  oldest(list: number): number {
    return this.#stamp[this.#first[list] as number] as number;
  }

  /** The greatest stamp, or -Infinity. */
  newest(list: number): number {
    const last = this.#last[list] as number;
    return last === NONE ? Number.NEGATIVE_INFINITY : (this.#stamp[last] as number);
  }

  stamp(node: number): number {
    return this.#stamp[node] as number;
  }

  owner(node: number): number {
    return this.#owner[node] as number;
  }

  /** Links a node in. The walk from the end is as long as the event is late. */
  add(list: number, node: number, stamp: number): void {
    let before = this.#last[list] as number;
    while (before !== NONE && (this.#stamp[before] as number) > stamp)
      before = this.#before[before] as number;
    const after = before === NONE ? (this.#first[list] as number) : (this.#after[before] as number);
    this.#stamp[node] = stamp;
    this.#owner[node] = list;
    this.#join(list, before, node);
    this.#join(list, node, after);
    this.#length[list] = this.length(list) + 1;
  }

  unlink(node: number): void {
    const list = this.owner(node);
    this.#join(list, this.#before[node] as number, this.#after[node] as number);
    this.#length[list] = this.length(list) - 1;
  }

  /** Moves a node to a later stamp; an earlier one changes nothing. */
  raise(node: number, stamp: number): void {
    if (stamp <= this.stamp(node)) return;
    const list = this.owner(node);
    this.unlink(node);
    this.add(list, node, stamp);
  }

  growLists(lists: number): void {
    if (this.#first.length >= lists) return;
    this.#first = enlarged(this.#first, new Int32Array(lists));
    this.#last = enlarged(this.#last, new Int32Array(lists));
    this.#length = enlarged(this.#length, new Int32Array(lists));
  }

  growNodes(nodes: number): void {
    if (this.#stamp.length >= nodes) return;
    this.#before = enlarged(this.#before, new Int32Array(nodes));
    this.#after = enlarged(this.#after, new Int32Array(nodes));
    this.#owner = enlarged(this.#owner, new Int32Array(nodes));
    this.#stamp = enlarged(this.#stamp, new Float64Array(nodes));
  }

  /** Makes two nodes neighbours; NONE stands for the list's end on that side. */
  #join(list: number, left: number, right: number): void {
    if (left === NONE) this.#first[list] = right;
    else this.#after[left] = right;
    if (right === NONE) this.#last[list] = left;
    else this.#before[right] = left;
  }
}

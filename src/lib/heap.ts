/** A binary heap: the entry with the smallest key first; among equals the one that came first. */

interface Node<T> {
  readonly key: number;
  readonly order: number;
  readonly value: T;
}

const isBefore = <T>(a: Node<T>, b: Node<T>): boolean =>
  a.key < b.key || (a.key === b.key && a.order < b.order);

export class Heap<T> {
  readonly #nodes: Node<T>[] = [];
  #pushed = 0;

  get size(): number {
    return this.#nodes.length;
  }

  /** Smallest key; Infinity when empty. */
  get least(): number {
    return this.#nodes[0]?.key ?? Number.POSITIVE_INFINITY;
  }

  push(key: number, value: T): void {
    const nodes = this.#nodes;
    const node = { key, order: this.#pushed++, value };
    let at = nodes.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = nodes[up] as Node<T>;
      if (!isBefore(node, parent)) break;
      nodes[at] = parent;
      at = up;
    }
    nodes[at] = node;
  }

  /** Takes the first entry out; undefined when empty. */
  pop(): T | undefined {
    const first = this.#nodes[0];
    const last = this.#nodes.pop();
    if (last !== undefined && last !== first) this.#sink(last);
    return first?.value;
  }

  #sink(node: Node<T>): void {
    const nodes = this.#nodes;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const right = nodes[down + 1];
      if (right !== undefined && isBefore(right, nodes[down] as Node<T>)) down++;
      const child = nodes[down];
      if (child === undefined || !isBefore(child, node)) break;
      nodes[at] = child;
      at = down;
    }
    nodes[at] = node;
  }
}

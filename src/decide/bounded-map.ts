/** A map that forgets its oldest entry when it is full, and counts what it forgot. */

export class BoundedMap<V> {
  readonly #map = new Map<string, V>();
  readonly #limit: number;
  #evicted = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#map.size;
  }

  /** Entries forgotten for want of room since the start. */
  get evicted(): number {
    return this.#evicted;
  }

  get(key: string): V | undefined {
    return this.#map.get(key);
  }

  has(key: string): boolean {
    return this.#map.has(key);
  }

  /** The entry becomes the youngest, also when it was there before. */
  set(key: string, value: V): void {
    this.#map.delete(key);
    if (this.#map.size >= this.#limit) this.#evictOldest();
    this.#map.set(key, value);
  }

  delete(key: string): boolean {
    return this.#map.delete(key);
  }

  clear(): void {
    this.#map.clear();
  }

  /** Oldest first. Deleting the entry at hand during the walk is allowed. */
  entries(): IterableIterator<[string, V]> {
    return this.#map.entries();
  }

  #evictOldest(): void {
    const oldest = this.#map.keys().next();
    if (oldest.done) return;
    this.#map.delete(oldest.value);
    this.#evicted++;
  }
}

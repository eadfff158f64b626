/** A bounded cache that says when it forgets; for cold data only, the only place that knows lru-cache. */
import { LRUCache } from 'lru-cache';

export type Lru<K extends string | number, V extends object> = LRUCache<K, V>;

/** At most `max` entries; `onEvict` is called for each that is pushed out, not for one that is deleted. */
export const makeLru = <K extends string | number, V extends object>(
  max: number,
  onEvict: () => void,
): Lru<K, V> =>
  new LRUCache<K, V>({
    max,
    dispose: (_value, _key, reason) => {
      if (reason === 'evict') onEvict();
    },
  });

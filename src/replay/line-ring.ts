/** Where the latest lines lie in the memory they were read into: keeping one copies nothing. */
import type { LineKeeper } from '../capture/captured.js';
import { CHUNKS_KEPT } from '../capture/chunks.js';

const ROWS = 16_384;

export class LineRing implements LineKeeper {
  /** Length of tables that a caller keeps beside this one: line n has row n modulo it. */
  static readonly rows = ROWS;
  readonly #bytes: (Buffer | undefined)[] = new Array(ROWS).fill(undefined);
  readonly #from = new Uint32Array(ROWS);
  readonly #to = new Uint32Array(ROWS);
  readonly #chunks = new Float64Array(ROWS);
  #chunk = 0;
  #kept = 0;

  /** Lines kept so far; the latest is number `count - 1`. */
  get count(): number {
    return this.#kept;
  }

  /** Number of the oldest line that may still be there. */
  get oldest(): number {
    return Math.max(0, this.#kept - ROWS);
  }

  put(bytes: Buffer, from: number, to: number, chunk: number): void {
    const row = this.#kept++ % ROWS;
    this.#bytes[row] = bytes;
    this.#from[row] = from;
    this.#to[row] = to;
    this.#chunks[row] = chunk;
    this.#chunk = chunk;
  }

  /** The line, or undefined when other bytes lie in its place. */
  get(number: number): string | undefined {
    const row = number % ROWS;
    const isThere = number >= this.oldest && (this.#chunks[row] as number) > this.#chunk - CHUNKS_KEPT;
    return isThere ? this.#bytes[row]?.toString('utf8', this.#from[row], this.#to[row]) : undefined;
  }
}

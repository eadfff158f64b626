/** What the agent says on stdout: a reader that stops, one that went away, a full disk cost lines, never the agent. */
import type { Writable } from 'node:stream';

/** Written to a full pipe or a stopped terminal, a line would otherwise keep the whole agent waiting. */
interface Switchable {
  readonly _handle?: { setBlocking?(on: boolean): void };
}

/** Characters that wait for the reader at most; further lines are dropped and counted. */
const WAITING_MAX = 1 << 20;
const FLUSH_MS = 1000;
/** For the exit code and the last words on stderr. */
const LAST_MS = 100;

export class Voice {
  /** Lines nobody will read. */
  dropped = 0;
  readonly #stream: Writable & Switchable;

  constructor(stream: Writable & Switchable) {
    this.#stream = stream;
    stream._handle?.setBlocking?.(false);
    /* A command ends with its reader. An agent that did could be ended by whoever fills a disk or kills a logger. */
    stream.removeAllListeners('error').on('error', () => {});
  }

  /** A line for people and for the journal; never more than one line. */
  readonly say = (line: string): void => {
    if (this.#stream.writableLength > WAITING_MAX) this.dropped++;
    else this.#stream.write(`${line.replace(/\n/g, ' | ')}\n`, this.#count);
  };

  readonly #count = (error: Error | null | undefined): void => {
    if (error) this.dropped++;
  };

  /** Gives the reader a last second; then what waits is given up, so that the process can end. */
  async close(): Promise<void> {
    const end = Date.now() + FLUSH_MS;
    while (this.#stream.writableLength > 0 && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    /* stdout cannot be destroyed; what waits in it would keep the process alive for ever */
    if (this.#stream.writableLength > 0) setTimeout(() => process.exit(), LAST_MS);
    else this.#stream._handle?.setBlocking?.(true);
  }
}

/** Cuts chunks of a file into lines, without a call or a copy per line. */
import { isAscii } from 'node:buffer';

const LF = 10;

export class LineSplitter {
  readonly #max: number;
  #rest: Buffer[] = [];
  #restBytes = 0;

  /** `max`: bytes a line may have. */
  constructor(max: number) {
    this.#max = max;
  }

  /** True when more bytes than a line may have came without an end of line. */
  get isTooLong(): boolean {
    return this.#restBytes > this.#max;
  }

  /** The whole lines up to the last end of line in `chunk`; what follows it waits for the next one. */
  push(chunk: Buffer): string[] {
    const end = chunk.lastIndexOf(LF);
    if (end < 0) {
      this.#keep(chunk);
      return [];
    }
    const whole = chunk.subarray(0, end);
    const bytes = this.#rest.length === 0 ? whole : Buffer.concat([...this.#rest, whole]);
    this.#rest = [];
    this.#restBytes = 0;
    if (end + 1 < chunk.length) this.#keep(chunk.subarray(end + 1));
    return split(textOf(bytes));
  }

  /** What stands after the last end of line; '' when the file ends with one. */
  end(): string {
    const text = textOf(Buffer.concat(this.#rest));
    this.#rest = [];
    this.#restBytes = 0;
    return text;
  }

  #keep(bytes: Buffer): void {
    // A copy: the reader may use the chunk's memory again.
    this.#rest.push(Buffer.from(bytes));
    this.#restBytes += bytes.length;
  }
}

/** Cut at line ends, so no character is cut in two. One byte per character is kept where that suffices. */
const textOf = (bytes: Buffer): string => bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8');

/** Slices share the memory of `text`: the lines of a chunk cost no copy. */
const split = (text: string): string[] => {
  const lines: string[] = [];
  let from = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
    lines.push(text.slice(from, at));
    from = at + 1;
  }
  lines.push(text.slice(from));
  return lines;
};

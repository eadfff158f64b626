/** Cuts chunks of a file into lines, by their place: no line is copied but one that lies in two chunks. */

const LF = 10;

export class Lines {
  #rest: Buffer[] = [];
  /** Bytes that came since the last end of line. */
  restBytes = 0;

  /** Calls `take` for each line that ends in `chunk`, as [from, to) of the bytes it gets. */
  push(chunk: Buffer, take: (bytes: Buffer, from: number, to: number) => void): void {
    let end = chunk.indexOf(LF);
    if (end < 0) {
      this.#keep(chunk);
      return;
    }
    let from = 0;
    if (this.#rest.length > 0) {
      const line = Buffer.concat([...this.#rest, chunk.subarray(0, end)]);
      this.#rest = [];
      this.restBytes = 0;
      take(line, 0, line.length);
      from = end + 1;
      end = chunk.indexOf(LF, from);
    }
    for (; end >= 0; end = chunk.indexOf(LF, from)) {
      take(chunk, from, end);
      from = end + 1;
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** What stands after the last end of line; '' when the file ends with one. */
  rest(): string {
    return Buffer.concat(this.#rest).toString('utf8');
  }

  #keep(bytes: Buffer): void {
    // A copy: the memory of a chunk is used again.
    this.#rest.push(Buffer.from(bytes));
    this.restBytes += bytes.length;
  }
}

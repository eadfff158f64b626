/** A file only its owner reads, appended to line by line, synchronously; failures are counted, never thrown. */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** No symlink is followed and no FIFO waited for: the name must be the file itself. */
const FLAGS =
  constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class AppendFile {
  /** Lines that did not reach the file. */
  failed = 0;
  /** What went wrong last, undefined while all is well. */
  lastError: string | undefined;
  readonly path: string;
  #fd = -1;
  /** The last line was cut short and cannot be taken back: the next one must not be glued to it. */
  #torn = false;

  /** Opens the file; when that fails it is tried again with each line. */
  constructor(path: string) {
    this.path = path;
    this.reopen();
  }

  /** Opens the path anew, for a log that was rotated away. The old file stays in use when that fails. */
  reopen(): boolean {
    try {
      mkdirSync(dirname(this.path), { recursive: true, mode: 0o750 });
      const fd = openSafely(this.path);
      this.close();
      this.#fd = fd;
      this.#torn = false;
      this.lastError = undefined;
      return true;
    } catch (error) {
      this.lastError = (error as Error).message;
      return false;
    }
  }

  /** `line` ends with a newline. */
  write(line: string): void {
    if (this.#fd < 0 && !this.reopen()) {
      this.failed++;
      return;
    }
    const bytes = Buffer.from(this.#torn ? `\n${line}` : line);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written);
      this.#torn = false;
      this.lastError = undefined;
    } catch (error) {
      this.failed++;
      if (written > 0 && !this.#cutOff(written)) this.#torn = true;
      this.lastError = (error as Error).message;
    }
  }

  /** Takes back the part of a line that found room. */
  #cutOff(bytes: number): boolean {
    try {
      ftruncateSync(this.#fd, fstatSync(this.#fd).size - bytes);
      return true;
    } catch {
      return false;
    }
  }

  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}

const openSafely = (path: string): number => {
  const fd = openSync(path, FLAGS, 0o600);
  try {
    if (!fstatSync(fd).isFile()) throw new Error(`${path} is not a regular file`);
    // The mode above holds for a new file only.
    fchmodSync(fd, 0o600);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};

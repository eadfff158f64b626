/** Writes a capture file, plain or gzip by its name: for its owner alone, and never over another file. */
import { createWriteStream, openSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { constants, createGzip, type Gzip } from 'node:zlib';
import { KerngateError } from '../model/error.js';
import { type CaptureHeader, endLine, headerLine } from './format.js';

/** Gathered before it is handed on: a write per line would cost more than the line. */
const CHUNK_CHARS = 64 * 1024;

export class CaptureFile {
  /** Events written. */
  events = 0;
  readonly #path: string;
  readonly #gzip: Gzip | undefined;
  readonly #sink: Writable;
  readonly #done: Promise<unknown>;
  #error: NodeJS.ErrnoException | undefined;
  #text = '';

  /** Throws KerngateError when there is such a file already, or none can be made. */
  constructor(path: string, header: CaptureHeader) {
    this.#path = path;
    const file = createWriteStream(path, { fd: openNew(path) });
    const gzip = path.endsWith('.gz') ? createGzip() : undefined;
    gzip?.pipe(file);
    file.on('error', (error) => {
      this.#error ??= error;
      gzip?.destroy();
    });
    gzip?.on('error', () => {});
    this.#gzip = gzip;
    this.#sink = gzip ?? file;
    this.#done = finished(file).catch(() => {});
    this.#text = headerLine(header);
  }

  /** Throws KerngateError once the disk has taken no more. */
  event(line: string): void {
    this.#check();
    this.events++;
    this.#text += `${line}\n`;
    if (this.#text.length >= CHUNK_CHARS) this.flush();
  }

  /** Hands on what was gathered. */
  flush(): void {
    if (this.#text === '') return;
    this.#sink.write(this.#text);
    this.#text = '';
  }

  /** Undefined while the disk keeps up, else a promise for the moment it has. */
  get room(): Promise<void> | undefined {
    if (!this.#sink.writableNeedDrain || this.#error) return undefined;
    return new Promise((resolve) => {
      const go = () => resolve();
      this.#sink.once('drain', go).once('close', go).once('error', go);
      void this.#done.then(go);
    });
  }

  /** Writes the end line when the capture is whole. Throws KerngateError when it did not reach the disk. */
  async close(lost: number, isWhole: boolean): Promise<void> {
    if (isWhole) this.#text += endLine(this.events, lost);
    if (!this.#error) {
      this.flush();
      this.#sink.end();
    }
    await this.#done;
    this.#check();
  }

  /** What a process that ends now should have on the disk: also the part a compressor still holds. */
  checkpoint(): void {
    this.#check();
    this.flush();
    this.#gzip?.flush(constants.Z_SYNC_FLUSH);
  }

  #check(): void {
    if (!this.#error) return;
    throw new KerngateError(`${this.#path}: cannot be written any further: ${this.#error.message}`, {
      remedy: 'Make room and record anew; what was written can be used with: kerngate replay --partial',
      cause: this.#error,
    });
  }
}

const openNew = (path: string): number => {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new KerngateError(`${path}: there is such a file already`, {
        remedy: 'Name a new file; a capture never overwrites one.',
        cause,
      });
    }
    throw new KerngateError(`${path}: cannot be made: ${message}`, {
      remedy: 'Name a file in a folder you may write to.',
      cause,
    });
  }
};

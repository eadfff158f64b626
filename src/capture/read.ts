/** Reads a capture file, plain or gzip: header, events in order, end; each fault with `file:line`. */
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, createGunzip } from 'node:zlib';
import { KerngateError } from '../model/error.js';
import type { CapturedEvent } from '../model/json-event.js';
import { Captured } from './captured.js';
import { eventFault } from './check-event.js';
import { type CaptureEnd, type CaptureHeader, endFault, headerFault } from './format.js';
import { Lines } from './lines.js';
import { Scanner } from './scan.js';

const CHUNK_BYTES = 128 * 1024;
/** What is said of an event's bytes holds for so many chunks. */
export const CHUNKS_KEPT = 64;
/** Of compressed data: what is damaged costs what was made of this much before it. */
const PIECE_BYTES = 4096;
/** An event has some hundred bytes; its command line at most some thousand. */
const LINE_MAX = 1024 * 1024;

export interface CaptureHandlers {
  header(header: CaptureHeader): void;
  /** In order of `boot_ns`. The event is void with the next one. */
  event(event: Captured): void;
}

export interface CaptureResult {
  readonly events: number;
  /** Undefined when the capture has no end line, which only `partial` permits. */
  readonly end: CaptureEnd | undefined;
}

/**
 * Hands the capture to `handlers`, in order. `-` is the standard input. Throws KerngateError: notFound,
 * invalid for a line that is wrong (`file:line: what`), failed when the end is missing and not `partial`.
 */
export const readCapture = async (
  file: string,
  isPartial: boolean,
  handlers: CaptureHandlers,
): Promise<CaptureResult> => {
  const reader = new CaptureReader(file, handlers);
  const lines = new Lines();
  for await (const chunk of chunksOf(file, isPartial)) {
    reader.next();
    lines.push(chunk, (bytes, from, to) => reader.line(bytes, from, to));
    if (lines.restBytes > LINE_MAX) throw reader.fault(`this line has more than ${LINE_MAX} bytes`, 1);
  }
  return reader.finish(lines.rest(), isPartial);
};

class CaptureReader {
  readonly #file: string;
  readonly #handlers: CaptureHandlers;
  /** Of the latest event; a line that is none must not overwrite it. */
  #scanner = new Scanner();
  #spare = new Scanner();
  readonly #captured = new Captured();
  #line = 0;
  #chunk = 0;
  #events = 0;
  #lastNs = -1;
  #hasHeader = false;
  #end: CaptureEnd | undefined;

  constructor(file: string, handlers: CaptureHandlers) {
    this.#file = file === '-' ? 'standard input' : file;
    this.#handlers = handlers;
  }

  /** The lines that follow are of the next chunk. */
  next(): void {
    this.#chunk++;
  }

  line(bytes: Buffer, from: number, to: number): void {
    this.#line++;
    const isOpen = this.#hasHeader && this.#end === undefined;
    if (isOpen && this.#spare.scan(bytes, from, to)) {
      this.#captured.scanned(this.#spare, { bytes, from, to, chunk: this.#chunk });
      this.#inOrder();
      [this.#scanner, this.#spare] = [this.#spare, this.#scanner];
    } else this.#one(bytes.toString('utf8', from, to));
  }

  /** `rest`: what stands after the last end of line. */
  finish(rest: string, isPartial: boolean): CaptureResult {
    if (rest !== '') {
      this.#line++;
      if (!isPartial || isJson(rest)) this.#last(rest);
    }
    if (!this.#hasHeader) throw this.#empty();
    if (this.#end === undefined && !isPartial) throw this.#cut('it has no end line');
    return { events: this.#events, end: this.#end };
  }

  fault(what: string, ahead = 0): KerngateError {
    return new KerngateError(`${this.#file}:${this.#line + ahead}: ${what}`, {
      exit: 'invalid',
      remedy: 'A capture is what kerngate record writes; record it anew, or correct this line.',
    });
  }

  #last(rest: string): void {
    if (isJson(rest)) this.#one(rest);
    else throw this.#cut(`line ${this.#line} ends in the middle`);
  }

  #one(line: string): void {
    if (line === '' || line === '\r') return;
    const value = this.#parse(line);
    if (this.#end !== undefined) throw this.fault('there is data after the end line');
    if (!this.#hasHeader) this.#header(value);
    else if (value.kind === undefined && 'kerngate_end' in value) this.#ends(value);
    else this.#event(value);
  }

  #parse(line: string): Readonly<Record<string, unknown>> {
    let value: unknown;
    try {
      value = JSON.parse(this.#line === 1 && line.startsWith('\uFEFF') ? line.slice(1) : line);
    } catch (error) {
      throw this.fault(`this is no JSON: ${reasonOf(error as Error)}`);
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw this.fault('each line must be a JSON object');
    }
    return value as Readonly<Record<string, unknown>>;
  }

  #header(value: Readonly<Record<string, unknown>>): void {
    const fault = headerFault(value);
    if (fault !== undefined) throw this.fault(fault);
    this.#hasHeader = true;
    this.#handlers.header(value as unknown as CaptureHeader);
  }

  #ends(value: Readonly<Record<string, unknown>>): void {
    const fault = endFault(value);
    if (fault !== undefined) throw this.fault(fault);
    this.#end = value as unknown as CaptureEnd;
  }

  #event(value: Readonly<Record<string, unknown>>): void {
    const fault = eventFault(value);
    if (fault !== undefined) throw this.fault(fault);
    this.#captured.parsed(value as unknown as CapturedEvent, this.#chunk);
    this.#inOrder();
  }

  #inOrder(): void {
    const { atNs } = this.#captured;
    if (atNs < this.#lastNs) {
      const { bootNs } = this.#captured;
      throw this.fault(`events are out of order: boot_ns ${bootNs} is before that of the event above`);
    }
    this.#lastNs = atNs;
    this.#events++;
    this.#handlers.event(this.#captured);
  }

  #empty(): KerngateError {
    return new KerngateError(`${this.#file}: this is no capture: it is empty`, {
      exit: 'invalid',
      remedy: 'Name a file that kerngate record wrote.',
    });
  }

  #cut(what: string): KerngateError {
    return new KerngateError(`${this.#file}: the capture is not complete: ${what}`, {
      remedy: 'Use what is there with --partial, or record it anew.',
    });
  }
}

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Without the text of the line, which Node quotes and which may be long. */
const reasonOf = ({ message }: Error): string => message.replace(/,? *(?:\.\.\.)?".*$/s, '').slice(0, 80);

async function* chunksOf(file: string, isPartial: boolean): AsyncGenerator<Buffer> {
  const pool = new Pool();
  const raw = rawChunks(file, pool);
  const first = await raw.next();
  if (first.done) return;
  const chunks = rejoined(first.value, raw);
  yield* isGzip(first.value) ? unzipped(file, chunks, isPartial) : chunks;
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

async function* rejoined(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

/** Memory of chunks, used in turn: a chunk stays readable until `CHUNKS_KEPT` later ones have come. */
class Pool {
  readonly #chunks: Buffer[] = [];
  #taken = 0;

  take(): Buffer {
    const place = this.#taken++ % CHUNKS_KEPT;
    const chunk = this.#chunks[place] ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
    this.#chunks[place] = chunk;
    return chunk;
  }

  /** `bytes`, which are no more than a chunk, in memory of the pool. */
  adopt(bytes: Buffer): Buffer {
    const chunk = this.take();
    return chunk.subarray(0, bytes.copy(chunk));
  }
}

/**
 * Read synchronously: nothing else is to be done meanwhile, and a hop to another thread costs more than
 * a chunk.
 */
async function* rawChunks(file: string, pool: Pool): AsyncGenerator<Buffer> {
  let fd: number | undefined;
  try {
    if (file === '-') {
      yield* adopted(process.stdin as AsyncIterable<Buffer>, pool);
      return;
    }
    fd = openSync(file, 'r');
    for (;;) {
      const chunk = pool.take();
      const length = readSync(fd, chunk);
      if (length === 0) return;
      yield chunk.subarray(0, length);
    }
  } catch (error) {
    throw unreadable(file, error as NodeJS.ErrnoException);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

async function* adopted(chunks: AsyncIterable<Buffer>, pool: Pool): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += CHUNK_BYTES) {
      yield pool.adopt(chunk.subarray(from, from + CHUNK_BYTES));
    }
  }
}

/** A file that was cut gives all it holds; that its end is missing shows in the missing end line. */
async function* unzipped(
  file: string,
  chunks: AsyncIterable<Buffer>,
  isPartial: boolean,
): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: CHUNK_BYTES, finishFlush: constants.Z_SYNC_FLUSH });
  const feeding = feed(chunks, gunzip);
  try {
    yield* adopted(gunzip as AsyncIterable<Buffer>, new Pool());
  } catch (error) {
    if (error instanceof KerngateError) throw error;
    if (!isPartial) throw damaged(file, error as Error);
  } finally {
    gunzip.destroy();
    await feeding;
  }
}

/** Never rejects: a failure of reading reaches the reader through the stream. */
const feed = async (
  chunks: AsyncIterable<Buffer>,
  gunzip: ReturnType<typeof createGunzip>,
): Promise<void> => {
  try {
    for await (const chunk of chunks) {
      for (let from = 0; from < chunk.length; from += PIECE_BYTES) {
        if (gunzip.destroyed) return;
        const piece = Buffer.from(chunk.subarray(from, from + PIECE_BYTES));
        if (!gunzip.write(piece)) await drained(gunzip);
      }
    }
    gunzip.end();
  } catch (error) {
    gunzip.destroy(error as Error);
  }
};

const drained = (gunzip: ReturnType<typeof createGunzip>): Promise<void> =>
  new Promise((resolve) => {
    gunzip.once('drain', resolve);
    gunzip.once('close', resolve);
  });

const damaged = (file: string, error: Error): KerngateError =>
  new KerngateError(`${file}: the compressed data is damaged: ${error.message}`, {
    exit: 'invalid',
    remedy: 'Use what can be read of it with --partial, or record it anew.',
    cause: error,
  });

const unreadable = (file: string, error: NodeJS.ErrnoException): KerngateError => {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return new KerngateError(`${file}: there is no such file`, {
      exit: 'notFound',
      remedy: 'Name a file that kerngate record wrote.',
      cause: error,
    });
  }
  return new KerngateError(`${file}: cannot be read: ${error.message}`, {
    remedy: 'Name a file that can be read, or - for the standard input.',
    cause: error,
  });
};

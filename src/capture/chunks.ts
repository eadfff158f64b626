/** The bytes of a capture file, chunk by chunk: plain, compressed, or from the standard input. */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { constants, createGunzip } from 'node:zlib';
import { KerngateError } from '../model/error.js';

const CHUNK_BYTES = 128 * 1024;
/** What is said of an event's bytes holds for so many chunks. */
export const CHUNKS_KEPT = 64;
/** Of compressed data: what is damaged costs what was made of this much before it. */
const PIECE_BYTES = 4096;
/** After so many chunks whatever else waits has its turn: that the reader of the output went away, for one. */
const TURN_CHUNKS = 16;

/**
 * The chunks of a file, `-` for the standard input; each stays readable until `CHUNKS_KEPT` later ones
 * have come. Throws KerngateError: notFound, failed, and invalid for damaged data unless `isPartial`.
 */
export async function* chunksOf(file: string, isPartial: boolean): AsyncGenerator<Buffer> {
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
    for (let count = 1; ; count++) {
      if (count % TURN_CHUNKS === 0) await setImmediate();
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
  let isEmpty = true;
  try {
    for await (const chunk of adopted(gunzip as AsyncIterable<Buffer>, new Pool())) {
      isEmpty = false;
      yield chunk;
    }
    if (isEmpty) throw bare(file);
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
    const go = () => {
      gunzip.off('drain', go).off('close', go);
      resolve();
    };
    gunzip.on('drain', go).on('close', go);
  });

const damaged = (file: string, error: Error): KerngateError =>
  new KerngateError(`${file}: the compressed data is damaged: ${error.message}`, {
    exit: 'invalid',
    remedy: 'Use what can be read of it with --partial, or record it anew.',
    cause: error,
  });

const bare = (file: string): KerngateError =>
  new KerngateError(`${file}: the capture is not complete: its compressed data ends before the first line`, {
    remedy: 'Nothing of it can be used: record it anew.',
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

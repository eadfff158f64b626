/** Reads a capture file, plain or gzip: header, events in order, end; each fault with `file:line`. */
import { KerngateError } from '../model/error.js';
import type { CapturedEvent } from '../model/json-event.js';
import { Captured } from './captured.js';
import { eventFault } from './check-event.js';
import { chunksOf } from './chunks.js';
import { type CaptureEnd, type CaptureHeader, endFault, headerFault } from './format.js';
import { Lines } from './lines.js';
import { Scanner } from './scan.js';

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
      this.#captured.scanned(this.#spare, bytes, from, to, this.#chunk);
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

/**
 * Reads the usual form of an event straight from its bytes, without making an object: what kerngate
 * writes, no blanks, no escapes, ASCII. It says yes only to what the JSON parser and `eventFault` would
 * take as well; everything else is theirs to judge.
 */
import {
  bytesOf,
  FIELD_COUNT,
  FIELDS,
  type FieldSpec,
  FORM,
  KIND_BYTES,
  PROTO_BYTES,
  REQUIRED,
  WHOLE,
} from './fields.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const ZERO = 0x30;
const COLON = 0x3a;
const DOT = 0x2e;
const LETTER_Z = 0x5a;
const FAILED = -1;
/** Longer ones may not be exact as a number. */
const DIGITS_EXACT = 15;
const DIGITS_MAX = 20;
/** 1 for what a text may hold as it is: printable ASCII without quote and backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte <= 0x7e && byte !== QUOTE && byte !== 0x5c ? 1 : 0,
);
const NULL = bytesOf('null');
const TRUE = bytesOf('true');
const FALSE = bytesOf('false');

export class Scanner {
  /** Per field the offsets of its text; `to` is 0 for one that is absent. */
  readonly from = new Int32Array(FIELD_COUNT);
  readonly to = new Int32Array(FIELD_COUNT);
  /** Per field its value, when it is a number, a flag, or a place in a list of names. */
  readonly number = new Float64Array(FIELD_COUNT);
  private bytes: Uint8Array = new Uint8Array(0);
  private end = 0;
  /** Of the latest time that was read in full. */
  private readonly lastMinute = new Uint8Array(16);

  /** Reads the line in [from, to). False: it is not of the usual form; nothing of it may be used then. */
  scan(source: Uint8Array, from: number, to: number): boolean {
    this.bytes = source;
    this.end = to;
    this.to.fill(0);
    return this.object(from, FIELDS) === to && this.isComplete();
  }

  has(place: number): boolean {
    return this.to[place] !== 0;
  }

  private isComplete(): boolean {
    for (const place of REQUIRED) if (this.to[place] === 0) return false;
    for (const places of WHOLE) {
      if (this.to[places[0] as number] === 0) continue;
      for (const place of places) if (this.to[place] === 0) return false;
    }
    return true;
  }

  /** Answers the offset after the object, or -1. */
  private object(at: number, specs: readonly FieldSpec[]): number {
    if (this.bytes[at] !== OPEN) return FAILED;
    let pos = at + 1;
    let next = 0;
    for (;;) {
      const which = this.key(pos, specs, next);
      const spec = specs[which];
      // A field that comes twice: the later one counts, which the parser sees to.
      if (spec === undefined || this.to[spec.index] !== 0) return FAILED;
      pos = this.value(pos + spec.bytes.length, spec);
      if (pos < 0) return FAILED;
      next = which + 1;
      const byte = this.bytes[pos];
      if (byte === CLOSE) return pos + 1;
      if (byte !== COMMA) return FAILED;
      pos++;
    }
  }

  /** The field whose name stands at `at`; the usual order makes the first guess the right one. */
  private key(at: number, specs: readonly FieldSpec[], next: number): number {
    for (let tries = 0; tries < specs.length; tries++) {
      let which = next + tries;
      if (which >= specs.length) which -= specs.length;
      if (this.stands((specs[which] as FieldSpec).bytes, at)) return which;
    }
    return FAILED;
  }

  private stands(word: Uint8Array, at: number): boolean {
    const source = this.bytes;
    // From its end: names differ there, while all begin with a quote.
    for (let i = word.length - 1; i >= 0; i--) if (source[at + i] !== word[i]) return false;
    return at + word.length <= this.end;
  }

  /** Answers the offset after the value, or -1. */
  private value(at: number, spec: FieldSpec): number {
    switch (spec.form) {
      case FORM.text:
        return this.text(at, spec);
      case FORM.digits:
        return this.digits(at, spec);
      case FORM.whole:
        return this.whole(at, spec);
      case FORM.object:
        return this.inner(at, spec);
      case FORM.kind:
        return this.name(at, spec, KIND_BYTES);
      case FORM.proto:
        return this.name(at, spec, PROTO_BYTES);
      case FORM.time:
        return this.time(at, spec);
      case FORM.result:
        // What follows the 0 is looked at by whoever asked.
        return this.bytes[at] === ZERO ? this.keep(spec, at, at + 1, 0, 0) : this.text(at, spec);
      case FORM.wholeOrNull:
        return this.stands(NULL, at) ? this.keep(spec, at, at + 4, -1, 0) : this.whole(at, spec);
      default:
        if (this.stands(TRUE, at)) return this.keep(spec, at, at + 4, 1, 0);
        return this.stands(FALSE, at) ? this.keep(spec, at, at + 5, 0, 0) : FAILED;
    }
  }

  private inner(at: number, spec: FieldSpec): number {
    const end = this.object(at, spec.inner);
    return end < 0 ? FAILED : this.keep(spec, at, end, 0, 0);
  }

  private text(at: number, spec: FieldSpec): number {
    const source = this.bytes;
    if (source[at] !== QUOTE) return FAILED;
    let pos = at + 1;
    while (PLAIN[source[pos] as number] === 1) pos++;
    return source[pos] === QUOTE && pos < this.end ? this.keep(spec, at + 1, pos, 0, 1) : FAILED;
  }

  /** Keeps the number too; of a long one its text is the exact form. */
  private digits(at: number, spec: FieldSpec): number {
    const source = this.bytes;
    if (source[at] !== QUOTE) return FAILED;
    let value = 0;
    let pos = at + 1;
    for (; pos < this.end; pos++) {
      const digit = (source[pos] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const length = pos - at - 1;
    if (source[pos] !== QUOTE || length === 0 || length > DIGITS_MAX) return FAILED;
    return this.keep(spec, at + 1, pos, length > DIGITS_EXACT ? Number.NaN : value, 1);
  }

  private whole(at: number, spec: FieldSpec): number {
    const source = this.bytes;
    let value = 0;
    let pos = at;
    for (; pos < this.end; pos++) {
      const digit = (source[pos] as number) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const length = pos - at;
    const isZeroLed = length > 1 && source[at] === ZERO;
    if (length === 0 || length > DIGITS_EXACT || isZeroLed || value > spec.max) return FAILED;
    return this.keep(spec, at, pos, value, 0);
  }

  private name(at: number, spec: FieldSpec, names: readonly { readonly bytes: Uint8Array }[]): number {
    if (this.bytes[at] !== QUOTE) return FAILED;
    for (let i = 0; i < names.length; i++) {
      const { bytes: word } = names[i] as { bytes: Uint8Array };
      const end = at + 1 + word.length;
      if (this.bytes[end] === QUOTE && this.stands(word, at + 1)) return this.keep(spec, at + 1, end, i, 1);
    }
    return FAILED;
  }

  /** `YYYY-MM-DDTHH:MM:SS.mmmZ`, which is how kerngate writes it. */
  private time(at: number, spec: FieldSpec): number {
    const source = this.bytes;
    const isWhole = source[at] === QUOTE && source[at + 25] === QUOTE && source[at + 24] === LETTER_Z;
    if (!isWhole || at + 26 > this.end) return FAILED;
    // Most times are of the same minute as the one before.
    if (!this.isSameMinute(at + 1) && !this.minute(at + 1)) return FAILED;
    const seconds = this.pair(at + 18);
    const ms = this.pair(at + 21);
    const isTime = source[at + 17] === COLON && source[at + 20] === DOT && seconds <= 59;
    if (!isTime || seconds < 0 || ms < 0 || !isDigit(source[at + 23] as number)) return FAILED;
    return this.keep(spec, at + 1, at + 25, 0, 1);
  }

  private isSameMinute(at: number): boolean {
    for (let i = MINUTE - 1; i >= 0; i--) if (this.bytes[at + i] !== this.lastMinute[i]) return false;
    return true;
  }

  /** Checks `YYYY-MM-DDTHH:MM` and keeps it for the next. */
  private minute(at: number): boolean {
    for (let i = 0; i < MINUTE; i++) {
      const byte = this.bytes[at + i] as number;
      const wanted = TIME.charCodeAt(i);
      if (wanted === ZERO ? !isDigit(byte) : byte !== wanted) return false;
    }
    const fits =
      within(this.pair(at + 5), 1, 12) &&
      within(this.pair(at + 8), 1, 31) &&
      within(this.pair(at + 11), 0, 23) &&
      within(this.pair(at + 14), 0, 59);
    if (fits) this.lastMinute.set(this.bytes.subarray(at, at + MINUTE));
    return fits;
  }

  /** The number two digits make; -1 when they are none. */
  private pair(at: number): number {
    const [tens, ones] = [this.bytes[at] as number, this.bytes[at + 1] as number];
    return isDigit(tens) && isDigit(ones) ? (tens - ZERO) * 10 + ones - ZERO : FAILED;
  }

  private keep(spec: FieldSpec, from: number, to: number, value: number, after: number): number {
    this.from[spec.index] = from;
    this.to[spec.index] = to;
    this.number[spec.index] = value;
    return to + after;
  }
}

const TIME = '0000-00-00T00:00';
const MINUTE = TIME.length;

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= ZERO + 9;

const within = (value: number, least: number, most: number): boolean => value >= least && value <= most;

/** Makes text that came from outside harmless before it meets a terminal. */

/** Pure formatting: ESC [ … or its one-character twin, parameters, one final byte. It hides no letter. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes.
const CSI = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]/g;
const BREAKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/** Cc: C0, DEL, C1 · Cf: bidi controls, zero-width and tag characters · Cs: lone surrogates. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}]/gu;
const RISKY_IN_JSON = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;

/**
 * One line of plain text: formatting sequences, control bytes, bidi and invisible characters are
 * removed, line breaks and tabs become one space. Of other escape sequences only the control bytes
 * go, so that a process cannot hide part of its name by wrapping it in one.
 */
export const sanitize = (text: string): string =>
  text.replace(CSI, '').replace(BREAKS, ' ').replace(INVISIBLE, '');

/** Like `sanitize`, but keeps line feeds: for messages we composed ourselves. */
export const sanitizeLines = (text: string): string => text.split('\n').map(sanitize).join('\n');

const escapeUnits = (text: string): string =>
  text
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');

/**
 * JSON on one line. Its value is exact; what JSON would leave raw but a terminal acts on (DEL, C1,
 * bidi controls, line separators) is written as \u escapes, which can only occur inside strings.
 */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value ?? null).replace(RISKY_IN_JSON, escapeUnits);

/** What is wrong with a policy file, and where. */

export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly message: string;
  /** What to write instead; a clause. */
  readonly hint?: string;
}

/** `file:line:column: message (hint)`, one line. */
export const formatProblem = (problem: Problem): string => {
  const { file, line, column, message, hint } = problem;
  return `${clean(file)}:${line}:${column}: ${message}${hint === undefined ? '' : ` (${hint})`}`;
};

/** A scalar of a file as it may stand in a message: short, on one line, without control bytes. */
export const quote = (value: string | number | boolean): string => {
  const text = clean(String(value));
  return `'${text.length > 60 ? `${text.slice(0, 57)}...` : text}'`;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
const clean = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?');

/** The did-you-mean hint, for spreading into a problem; empty when there is no suggestion. */
export const didYouMean = (word: string | undefined): { hint?: string } =>
  word === undefined ? {} : { hint: `did you mean '${word}'?` };

/** What a value is, to somebody who expected something else. */
export const kindOf = (value: unknown): string => {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : quote(String(value));
};

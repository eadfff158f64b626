/** Globs, matched in time linear in the text: whoever picks the text cannot make it slow. */

/** Longest pattern that is accepted; a match costs at most pattern × text steps. */
export const MAX_GLOB = 256;

type Token =
  | { readonly type: 'char'; readonly code: number }
  | { readonly type: 'one' | 'run' | 'all' }
  | {
      readonly type: 'class';
      readonly not: boolean;
      readonly ranges: readonly (readonly [number, number])[];
    };

export interface GlobOptions {
  /** In a path `*`, `?` and classes stop at `/`; only `**` goes past it. */
  readonly path: boolean;
}

/** True when the text holds a glob character that is not escaped. */
export const isGlob = (text: string): boolean => /(^|[^\\])(\\\\)*[*?[]/.test(text);

/** The text a pattern without glob characters stands for: `\*` is `*`. */
export const unescapeGlob = (text: string): string => text.replace(/\\(.)/gsu, '$1');

const SLASH = 47;

/**
 * Compiles `*` (any run), `?` (one character), `[a-z]`, `[!a-z]`, `**` and `\` (takes the next
 * character as it is). Answers an error sentence when the pattern is none.
 */
export const compileGlob = (pattern: string, options: GlobOptions): ((text: string) => boolean) | string => {
  if (pattern.length > MAX_GLOB) return `the pattern is longer than ${MAX_GLOB} characters`;
  const tokens = tokenize(pattern, options);
  if (typeof tokens === 'string') return tokens;
  const now = new Uint8Array(tokens.length + 1);
  const next = new Uint8Array(tokens.length + 1);
  return (text) => run({ tokens, path: options.path, now, next }, text);
};

const tokenize = (pattern: string, { path }: GlobOptions): Token[] | string => {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; ) {
    const part = readToken(pattern, i, path);
    if (typeof part === 'string') return part;
    tokens.push(part.token);
    i = part.end;
  }
  return tokens;
};

type Part = { readonly token: Token; readonly end: number } | string;

const readToken = (pattern: string, i: number, path: boolean): Part => {
  const char = pattern[i];
  if (char === '[') return readClass(pattern, i + 1);
  if (char === '?') return { token: { type: 'one' }, end: i + 1 };
  if (char === '*') return readStars(pattern, i, path);
  const at = char === '\\' ? i + 1 : i;
  if (at === pattern.length) return "nothing follows the last '\\'";
  return { token: { type: 'char', code: pattern.charCodeAt(at) }, end: at + 1 };
};

const readStars = (pattern: string, start: number, path: boolean): Part => {
  let end = start;
  while (pattern[end] === '*') end++;
  return { token: { type: !path || end - start > 1 ? 'all' : 'run' }, end };
};

const readClass = (pattern: string, start: number): Part => {
  const not = pattern[start] === '!' || pattern[start] === '^';
  const ranges: [number, number][] = [];
  let i = not ? start + 1 : start;
  // A `]` that comes first is a member, as in a shell.
  for (let first = true; first || pattern[i] !== ']'; first = false) {
    if (i >= pattern.length) return "a '[' is never closed by ']'";
    const from = pattern.charCodeAt(i);
    const isRange = pattern[i + 1] === '-' && i + 2 < pattern.length && pattern[i + 2] !== ']';
    const to = isRange ? pattern.charCodeAt(i + 2) : from;
    if (to < from) return `the range '${pattern.slice(i, i + 3)}' is empty`;
    ranges.push([from, to]);
    i += isRange ? 3 : 1;
  }
  return { token: { type: 'class', not, ranges }, end: i + 1 };
};

interface Machine {
  readonly tokens: readonly Token[];
  readonly path: boolean;
  now: Uint8Array;
  next: Uint8Array;
}

/** All positions the pattern can be at are kept at once, so nothing is ever tried twice. */
const run = (machine: Machine, text: string): boolean => {
  const { tokens } = machine;
  machine.now.fill(0)[0] = 1;
  skipStars(tokens, machine.now);
  for (let i = 0; i < text.length; i++) {
    machine.next.fill(0);
    if (!advance(machine, text.charCodeAt(i))) return false;
    skipStars(tokens, machine.next);
    [machine.now, machine.next] = [machine.next, machine.now];
  }
  return machine.now[tokens.length] === 1;
};

/** A star may also stand for nothing. */
const skipStars = (tokens: readonly Token[], states: Uint8Array): void => {
  for (let i = 0; i < tokens.length; i++) {
    const type = tokens[i]?.type;
    if (states[i] === 1 && (type === 'run' || type === 'all')) states[i + 1] = 1;
  }
};

const advance = ({ tokens, path, now, next }: Machine, code: number): boolean => {
  let alive = false;
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i];
    if (now[i] !== 1 || !token || !accepts(token, code, path)) continue;
    next[token.type === 'run' || token.type === 'all' ? i : i + 1] = 1;
    alive = true;
  }
  return alive;
};

const accepts = (token: Token, code: number, path: boolean): boolean => {
  if (token.type === 'char') return token.code === code;
  if (token.type === 'all') return true;
  if (path && code === SLASH) return false;
  if (token.type !== 'class') return true;
  return token.ranges.some(([from, to]) => code >= from && code <= to) !== token.not;
};

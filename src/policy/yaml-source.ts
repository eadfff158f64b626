/** Reads YAML text into plain data that remembers where each key and value stood. */
import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  type Scalar,
} from 'yaml';
import { type Problem, quote } from './problem.js';

/** Bounds per document, far above any policy and far below what could stall the agent. */
const MAX_NODES = 10_000;
const MAX_DEPTH = 16;
const MAX_ALIASES = 50;
const MAX_TEXT = 262_144;
/** The parser needs about two levels of its own for one of the text. */
const MAX_STACK = 2 * MAX_DEPTH + 8;
/** The library compares each key with all others of its map. */
const MAX_ITEMS = 2_000;
/** Documents, and the comments and empty lines between them. */
const MAX_PARTS = 20_000;

const TOO_DEEP = `this is nested deeper than ${MAX_DEPTH} levels`;
const MAX_PROBLEMS = 20;

export type Path = readonly (string | number)[];

/** Character offsets of one entry: of its key (list items have none) and of its value. */
export interface Place {
  readonly key: number;
  readonly value: number;
  /** The scalar as written, for positions inside it. */
  readonly scalar?: Scalar;
}

export interface SourceDocument {
  readonly data: unknown;
  /** Where the entry at the path stands; the nearest existing parent when there is none. */
  place(path: Path): Place;
}

export interface Source {
  readonly text: string;
  readonly documents: readonly SourceDocument[];
  readonly problems: readonly Problem[];
  /** A problem at a character offset. */
  problem(offset: number, message: string, hint?: { hint?: string }): Problem;
}

/** Reads all documents of a file. Empty documents are left out. Never throws. */
export const readYaml = (text: string, file: string): Source => {
  const lines = new LineCounter();
  const problem = (offset: number, message: string, hint: { hint?: string } = {}): Problem => {
    const { line, col } = lines.linePos(Math.max(0, offset));
    return { file, line: Math.max(1, line), column: Math.max(1, col), message, ...hint };
  };
  if (text.length > MAX_TEXT) {
    const message = `the file is longer than ${MAX_TEXT} characters`;
    return { text, documents: [], problems: [problem(0, message)], problem };
  }
  const problems: Problem[] = [];
  const documents: SourceDocument[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      problems.push(
        error instanceof Refusal ? problem(error.offset, error.message) : problem(0, unreadable(error)),
      );
      return undefined;
    }
  };
  for (const document of attempt(() => parseDocuments(text, lines)) ?? []) {
    if (isEmpty(document)) continue;
    const found = syntaxProblems(document, problem);
    problems.push(...found);
    const read = found.length === 0 && attempt(() => readDocument(document));
    if (read) documents.push(read);
  }
  return { text, documents, problems, problem };
};

/**
 * Tokens first, documents after: the composer descends one call per level, and deep enough nesting
 * ends the process there, past any catch. The parser keeps its levels in a list that can be asked.
 */
const parseDocuments = (text: string, lines: LineCounter): Document.Parsed[] => {
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const tokens: CST.Token[] = [];
  for (const source of new Lexer().lex(text)) {
    for (const token of parser.next(source)) tokens.push(token);
    if (parser.stack.length > MAX_STACK) throw new Refusal(parser.offset, TOO_DEEP);
    if (countItems(parser.stack.at(-1)) > MAX_ITEMS)
      throw new Refusal(parser.offset, 'this has too many entries');
    if (tokens.length > MAX_PARTS) throw new Refusal(parser.offset, 'this file has too many documents');
  }
  for (const token of parser.end()) tokens.push(token);
  const options = { prettyErrors: false, uniqueKeys: true, merge: false, logLevel: 'error' } as const;
  return [...new Composer(options).compose(tokens)] as Document.Parsed[];
};

const countItems = (token: CST.Token | undefined): number =>
  token && 'items' in token ? token.items.length : 0;

const isEmpty = (document: Document.Parsed): boolean => {
  if (document.errors.length > 0) return false;
  const { contents } = document;
  return contents === null || (isScalar(contents) && contents.value === null && !contents.source);
};

const syntaxProblems = (document: Document.Parsed, problem: Source['problem']): Problem[] =>
  [...document.errors, ...document.warnings].slice(0, MAX_PROBLEMS).map((error) => {
    const message =
      error.code === 'DUPLICATE_KEY' ? 'this key is written twice' : `YAML: ${oneLine(error.message)}`;
    return problem(error.pos[0], message);
  });

const oneLine = (text: string): string => text.split('\n', 1)[0] ?? text;

/** The YAML library met something it does not expect itself. */
const unreadable = (error: unknown): string => `this cannot be read as YAML: ${oneLine(String(error))}`;

const readDocument = (document: Document.Parsed): SourceDocument => {
  const places = new Map<string, Place>();
  const walk: Walk = { document, places, nodes: 0, aliases: 0 };
  const start = document.contents?.range?.[0] ?? 0;
  const data = convert(walk, document.contents, [], { key: start, value: start });
  return { data, place: (path) => placeOf(places, path) };
};

const placeOf = (places: ReadonlyMap<string, Place>, path: Path): Place => {
  for (let length = path.length; length > 0; length--) {
    const place = places.get(JSON.stringify(path.slice(0, length)));
    if (place) return place;
  }
  return places.get('[]') ?? { key: 0, value: 0 };
};

/** Ends the reading of a document, or of the file. */
class Refusal extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

interface Walk {
  readonly document: Document.Parsed;
  readonly places: Map<string, Place>;
  nodes: number;
  aliases: number;
}

type MaybeNode = Node | null | undefined;

const convert = (walk: Walk, node: MaybeNode, path: Path, place: Place): unknown => {
  walk.nodes++;
  if (walk.nodes > MAX_NODES)
    throw new Refusal(place.value, `the document has more than ${MAX_NODES} values`);
  if (path.length > MAX_DEPTH) throw new Refusal(place.value, TOO_DEEP);
  if (isAlias(node)) return convert(walk, resolve(walk, node, place), path, place);
  walk.places.set(JSON.stringify(path), isScalar(node) ? { ...place, scalar: node } : place);
  if (isMap(node)) return convertMap(walk, node.items as Pair[], path);
  if (isSeq(node)) return convertList(walk, node.items as MaybeNode[], path, place);
  return isScalar(node) ? node.value : null;
};

const resolve = (walk: Walk, alias: Alias, place: Place): Node => {
  // Each look-up walks the document: their number is bounded, not only what they expand to.
  walk.aliases++;
  if (walk.aliases > MAX_ALIASES)
    throw new Refusal(place.value, `the document has more than ${MAX_ALIASES} aliases`);
  const target = alias.resolve(walk.document);
  if (!target)
    throw new Refusal(place.value, `no anchor ${quote(`&${alias.source}`)} stands before this alias`);
  return target;
};

const convertMap = (walk: Walk, items: readonly Pair[], path: Path): unknown => {
  // No prototype: a key named `__proto__` is a key like any other.
  const data: Record<string, unknown> = Object.create(null);
  for (const { key, value } of items) {
    const keyAt = offsetOf(key);
    if (!isScalar(key) || key.value === null) throw new Refusal(keyAt, 'a key must be a word');
    const name = String(key.value);
    // `1` and `"1"` are two keys to YAML and one to us.
    if (Object.hasOwn(data, name)) throw new Refusal(keyAt, 'this key is written twice');
    const valueAt = offsetOf(value) || keyAt;
    data[name] = convert(walk, value as MaybeNode, [...path, name], { key: keyAt, value: valueAt });
  }
  return data;
};

const convertList = (walk: Walk, items: readonly MaybeNode[], path: Path, parent: Place): unknown =>
  items.map((item, i) => {
    const at = offsetOf(item) || parent.value;
    return convert(walk, item, [...path, i], { key: at, value: at });
  });

const offsetOf = (node: unknown): number => (node as Node | undefined)?.range?.[0] ?? 0;

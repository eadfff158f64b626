/** Talks to a running agent over its control socket. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { EXIT, KerngateError } from '../model/error.js';
import type { ErrorBody } from './reply.js';

const DEFAULT_LIMIT_MS = 10_000;

type ExitName = keyof typeof EXIT;

const exitName = (code: unknown): ExitName =>
  (Object.keys(EXIT) as ExitName[]).find((name) => EXIT[name] === code && name !== 'ok') ?? 'failed';

const toError = ({ error, remedy, exit }: ErrorBody): KerngateError =>
  new KerngateError(error, { exit: exitName(exit), ...(remedy === undefined ? {} : { remedy }) });

const isErrorBody = (value: unknown): value is ErrorBody =>
  typeof value === 'object' && value !== null && typeof (value as ErrorBody).error === 'string';

const unreachable = (socketPath: string, why: string, cause?: unknown): KerngateError =>
  new KerngateError(`no agent answers on ${socketPath} (${why})`, {
    exit: 'unreachable',
    remedy: 'Start it with kerngate run, or name its socket with --socket or KERNGATE_SOCKET.',
    cause,
  });

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  ENOTDIR: 'there is no such socket',
  ECONNREFUSED: 'nobody listens there',
  ENOTSOCK: 'it is no socket',
  ECONNRESET: 'it closed the connection',
  EPIPE: 'it closed the connection',
  EAGAIN: 'it has no place for another client',
  EINVAL: 'the path is too long for a socket',
  ENAMETOOLONG: 'the path is too long for a socket',
};

/** What a failed connection means to the user; an error that is none of a connection stays as it is. */
const connectionError = (socketPath: string, cause: NodeJS.ErrnoException): Error => {
  if (cause instanceof KerngateError || cause.code === undefined) return cause;
  if (cause.code === 'EACCES' || cause.code === 'EPERM') {
    return new KerngateError(`no permission to talk to the agent on ${socketPath}`, {
      remedy: 'Run the command as root; to only read, join the group kerngate.',
      cause,
    });
  }
  return unreachable(socketPath, WHY[cause.code] ?? cause.message, cause);
};

interface Question {
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
}

const ask = ({ socketPath, method, path, body }: Question): ClientRequest => {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = payload && { 'content-type': 'application/json', 'content-length': payload.length };
  // No shared agent: a kept-alive connection would keep the command from ending.
  const call = request({ socketPath, method, path, agent: false, ...(headers ? { headers } : {}) });
  call.end(payload);
  return call;
};

const responseTo = (call: ClientRequest): Promise<IncomingMessage> =>
  new Promise((answer, fail) => {
    call.once('response', answer);
    call.once('error', fail);
  });

const readAll = async (response: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

const parseAnswer = (socketPath: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KerngateError(`what answers on ${socketPath} is no kerngate agent`, {
      remedy: 'Name the socket of the agent with --socket or KERNGATE_SOCKET.',
      cause,
    });
  }
};

const refusal = ({ statusCode }: IncomingMessage, value: unknown): KerngateError =>
  isErrorBody(value) ? toError(value) : new KerngateError(`the agent answered with status ${statusCode}`);

/**
 * One call. Answers the JSON value of the agent; throws KerngateError: unreachable (exit 4) when no
 * answer came within `limitMs`, else what the agent says, with its exit code.
 */
export const callAgent = async <T>(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
  limitMs = DEFAULT_LIMIT_MS,
): Promise<T> => {
  const call = ask({ socketPath, method, path, body });
  call.on('error', () => {}); // One that comes after the first has nobody left to hear it.
  const late = unreachable(socketPath, `it did not answer within ${limitMs / 1000} s`);
  const timer = setTimeout(() => call.destroy(late), limitMs);
  try {
    const response = await responseTo(call);
    const value = parseAnswer(socketPath, await readAll(response));
    if (response.statusCode === 200) return value as T;
    throw refusal(response, value);
  } catch (error) {
    throw connectionError(socketPath, error as NodeJS.ErrnoException);
  } finally {
    clearTimeout(timer);
  }
};

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

const forward = async (
  socketPath: string,
  response: IncomingMessage,
  onLine: (line: string) => unknown,
): Promise<void> => {
  for await (const line of linesOf(response)) {
    // An error has its text first; no event has such a member.
    if (line.startsWith('{"error":')) {
      const item = parseAnswer(socketPath, line);
      if (isErrorBody(item)) throw toError(item);
    }
    const done = onLine(line);
    if (done !== undefined) await done;
  }
};

/**
 * Calls `onItem` for each JSON line of a stream. Returns when `signal` aborts; throws KerngateError
 * when the agent cannot be reached, ends the stream (exit 4), or says why it dropped this reader.
 */
export const followAgent = <T>(
  socketPath: string,
  path: string,
  onItem: (item: T) => void,
  signal: AbortSignal,
): Promise<void> =>
  stream(
    socketPath,
    path,
    (line) => {
      onItem(parseAnswer(socketPath, line) as T);
    },
    signal,
    (call) => call.destroy(),
  );

/** How long the agent may take to hand over what it holds for a reader that has had enough. */
const DRAIN_MS = 30_000;

/**
 * The same for the lines as they are; the stream waits for what `onLine` promises. When `signal` aborts
 * it is read to its end, so that nothing is missed which the agent had for it.
 */
export const followLines = (
  socketPath: string,
  path: string,
  onLine: (line: string) => unknown,
  signal: AbortSignal,
): Promise<void> => stream(socketPath, path, onLine, signal, drained);

/** Closes our half only: the agent ends the stream when it has told all. */
const drained = (call: ClientRequest, socketPath: string): void => {
  if (!call.socket || call.socket.connecting) call.destroy();
  else call.socket.end();
  const late = unreachable(socketPath, `it did not end the stream within ${DRAIN_MS / 1000} s`);
  const timer = setTimeout(() => call.destroy(late), DRAIN_MS);
  call.once('close', () => clearTimeout(timer));
};

const stream = async (
  socketPath: string,
  path: string,
  onLine: (line: string) => unknown,
  signal: AbortSignal,
  leave: (call: ClientRequest, socketPath: string) => void,
): Promise<void> => {
  if (signal.aborted) return;
  const call = ask({ socketPath, method: 'GET', path });
  call.on('error', () => {});
  const abort = () => leave(call, socketPath);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const response = await responseTo(call);
    if (response.statusCode !== 200)
      throw refusal(response, parseAnswer(socketPath, await readAll(response)));
    await forward(socketPath, response, onLine);
    if (!signal.aborted) throw unreachable(socketPath, 'it ended the stream');
  } catch (error) {
    const isLate = error instanceof KerngateError;
    if (!signal.aborted || isLate) throw connectionError(socketPath, error as NodeJS.ErrnoException);
  } finally {
    signal.removeEventListener('abort', abort);
    call.destroy();
  }
};

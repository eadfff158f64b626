/** Answers of the control socket: JSON, and errors in one shape. */
import type { ServerResponse } from 'node:http';
import { EXIT, type ExitCode, KerngateError } from '../model/error.js';

/** Body of every answer that is an error. */
export interface ErrorBody {
  readonly error: string;
  readonly remedy?: string;
  /** The exit code of the command that asked. */
  readonly exit: ExitCode;
}

/** A request that was refused before the agent heard of it. */
export class Refusal extends KerngateError {
  readonly status: number;

  constructor(status: number, message: string, remedy?: string) {
    super(message, {
      exit: status < 500 && status !== 403 ? 'usage' : 'failed',
      ...(remedy ? { remedy } : {}),
    });
    this.status = status;
  }
}

const STATUS: Readonly<Record<ExitCode, number>> = {
  [EXIT.ok]: 500,
  [EXIT.failed]: 500,
  [EXIT.usage]: 400,
  [EXIT.notFound]: 404,
  [EXIT.unreachable]: 503,
  [EXIT.invalid]: 422,
  [EXIT.degraded]: 409,
};

/** Status and body for whatever was thrown; the text of an unexpected error, never its stack. */
export const errorAnswer = (error: unknown): { status: number; body: ErrorBody } => {
  if (error instanceof KerngateError) {
    const { message, remedy, exitCode } = error;
    const status = error instanceof Refusal ? error.status : STATUS[exitCode];
    return { status, body: { error: message, ...(remedy === undefined ? {} : { remedy }), exit: exitCode } };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: 500, body: { error: `the agent failed: ${message}`, exit: EXIT.failed } };
};

/** Sends `value` (undefined: null) and, when the request was not read to its end, closes after it. */
export const sendJson = (response: ServerResponse, status: number, value: unknown): void => {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(`${JSON.stringify(value ?? null)}\n`);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': body.length,
    ...(response.req.complete ? {} : { connection: 'close' }),
  });
  response.end(body);
};

/** A whole HTTP answer as text, for a connection whose request could not even be parsed. */
export const rawError = (status: number, reason: string, body: ErrorBody): string => {
  const text = `${JSON.stringify(body)}\n`;
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
};

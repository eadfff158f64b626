/** One request from its first byte to the call of the agent: authorised, bounded, validated. */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import type { Access } from './access.js';
import type { ControlApi, Peer } from './api.js';
import { Refusal } from './reply.js';
import { ROUTES, type Route } from './routes.js';
import { complaint } from './schema.js';

/** Who sent a request; undefined when the kernel did not say. */
export interface Caller {
  readonly peer: Peer | undefined;
  readonly access: Access;
}

/** Path and query; the host in front is only there because URL wants one. */
export const urlOf = (request: IncomingMessage): URL => {
  try {
    return new URL(request.url ?? '/', 'http://kerngate');
  } catch {
    throw new Refusal(400, 'the request names no valid path');
  }
};

/** Throws unless `caller` may do what `access` asks for. */
export const authorise = ({ peer, access }: Caller, wanted: Route['access']): Peer => {
  if (peer === undefined) throw new Refusal(403, 'the kernel does not say who is asking');
  if (access === 'change' || access === wanted) return peer;
  if (access === 'read') {
    throw new Refusal(
      403,
      `user id ${peer.uid} may read but not change anything`,
      'Run the command as root.',
    );
  }
  throw new Refusal(
    403,
    `user id ${peer.uid} may not talk to the agent`,
    'Run the command as root; to only read, join the group kerngate.',
  );
};

const findRoute = (method: string, path: string): Route => {
  const atPath = ROUTES.filter((route) => route.path === path);
  if (atPath.length === 0) {
    throw new Refusal(404, `the agent knows no ${path}`, 'Is the agent older than this command? Restart it.');
  }
  const route = atPath.find((candidate) => candidate.method === method);
  if (route === undefined) throw new Refusal(405, `${path} cannot be asked with ${method}`);
  return route;
};

/** Not by `for await`: leaving that early would destroy the connection before it got its answer. */
const readBody = (request: IncomingMessage, maxBytes: number): Promise<Buffer> =>
  new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else fail(new Refusal(413, `the request is longer than ${maxBytes} bytes`)); // The rest is discarded.
    });
    request.once('end', () => done(Buffer.concat(chunks)));
    request.once('error', fail);
  });

const parseJson = (body: Buffer): unknown => {
  if (body.length === 0) return {};
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw new Refusal(400, `the request is no JSON: ${(error as Error).message}`);
  }
};

/** A query as an object; a name given twice would let two readers see two requests. */
export const queryObject = (url: URL): Record<string, string> => {
  const names = [...url.searchParams.keys()];
  if (new Set(names).size < names.length) throw new Refusal(400, 'the query names something twice');
  return Object.fromEntries(url.searchParams);
};

/** The validated input, or a Refusal that names the place. */
export const validate = (accepts: z.ZodType, input: unknown): unknown => {
  const result = accepts.safeParse(input);
  if (!result.success) throw new Refusal(400, `bad request: ${complaint(result.error)}`);
  return result.data;
};

/** Input of a route: the query of a GET (which has no body), the body of a POST (which has no query). */
const inputOf = async (
  route: Route,
  url: URL,
  request: IncomingMessage,
  maxBytes: number,
): Promise<unknown> => {
  const body = await readBody(request, maxBytes);
  if (route.method === 'POST') {
    if (url.search !== '') throw new Refusal(400, `${route.path} takes no query`);
    return parseJson(body);
  }
  if (body.length > 0) throw new Refusal(400, `${route.path} takes no body`);
  return queryObject(url);
};

/** Answers a plain request with what the agent says. Throws Refusal before, KerngateError in the agent. */
export const answer = async (
  api: ControlApi,
  request: IncomingMessage,
  caller: Caller,
  maxBytes: number,
): Promise<unknown> => {
  authorise(caller, 'read');
  const url = urlOf(request);
  const route = findRoute(request.method ?? '', url.pathname);
  const peer = authorise(caller, route.access);
  const input = validate(route.accepts, await inputOf(route, url, request, maxBytes));
  return route.run(api, input, peer);
};

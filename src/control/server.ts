/** The control socket: HTTP/1.1 with JSON over a unix socket, every client bounded in time and space. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { EXIT, KerngateError } from '../model/error.js';
import type { Access } from './access.js';
import type { ControlApi, EventFilter, Peer } from './api.js';
import { Connections } from './connections.js';
import { Followers, type FollowLimits } from './followers.js';
import { listenOn } from './listen.js';
import { errorAnswer, Refusal, rawError, sendJson } from './reply.js';
import { answer, authorise, type Caller, queryObject, urlOf, validate } from './request.js';
import { FOLLOW_PATH } from './routes.js';
import { EVENT_QUERY } from './schema.js';

export interface ControlLimits extends FollowLimits {
  readonly maxConnections: number;
  /** How many of them others than root may hold. */
  readonly maxOthers: number;
  readonly maxBodyBytes: number;
  /** From the connection to the end of the headers. */
  readonly headersMs: number;
  /** From the connection to the end of the request. */
  readonly requestMs: number;
  /** Silence on a connection, also while an answer is not being read. */
  readonly idleMs: number;
}

export const DEFAULT_LIMITS: ControlLimits = {
  maxConnections: 64,
  maxOthers: 32,
  maxBodyBytes: 64 * 1024,
  headersMs: 5_000,
  requestMs: 10_000,
  idleMs: 60_000,
  maxFollowers: 16,
  maxWaitingBytes: 4 * 1024 * 1024,
  graceMs: 5_000,
};

export interface ControlServerOptions {
  readonly socketPath: string;
  readonly api: ControlApi;
  /** Credentials of the peer of a connected socket, by descriptor. */
  readonly peerCred: (fd: number) => Peer;
  readonly limits?: Partial<ControlLimits>;
  /** What a peer may do; by default root changes and group kerngate reads. */
  readonly accessOf?: (peer: Peer) => Access;
  /** Hears of errors that are no answer to a request of bad form: the agent's own. */
  readonly onError?: (error: unknown) => void;
}

export interface ControlServer {
  /** What happened so far, by name. */
  counters(): Record<string, number>;
  /** Ends followers and connections, removes the socket file. */
  close(): Promise<void>;
}

class Control implements ControlServer {
  readonly #options: ControlServerOptions;
  readonly #limits: ControlLimits;
  readonly #server: Server;
  readonly #connections: Connections;
  readonly #followers: Followers;
  #requests = 0;
  #refusals = 0;
  #overflow = 0;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    const { maxOthers } = this.#limits;
    this.#connections = new Connections({ ...options, maxOthers });
    this.#followers = new Followers(this.#limits);
    this.#server = this.#createServer();
  }

  async listen(): Promise<this> {
    await listenOn(this.#server, this.#options.socketPath);
    this.#server.on('error', (error) => this.#options.onError?.(error));
    return this;
  }

  counters(): Record<string, number> {
    return {
      control_connections: this.#connections.opened,
      control_refused_connections: this.#connections.refused + this.#overflow,
      control_requests: this.#requests,
      control_refused_requests: this.#refusals,
      control_followers: this.#followers.count,
      control_followers_dropped: this.#followers.dropped,
    };
  }

  close(): Promise<void> {
    this.#followers.endAll();
    return new Promise((done) => {
      this.#server.close(() => done());
      // A reader gets a moment for the end of its stream; a stuck one must not hold up the agent.
      setTimeout(() => this.#server.closeAllConnections(), 200).unref();
      this.#server.closeIdleConnections();
    });
  }

  #createServer(): Server {
    const { headersMs, requestMs, idleMs, maxConnections } = this.#limits;
    const server = createServer({
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(1_000, headersMs),
      keepAliveTimeout: 1_000,
      maxHeaderSize: 8 * 1024,
    });
    server.maxConnections = maxConnections;
    server.setTimeout(idleMs, (socket) => socket.destroy());
    server.on('connection', (socket) => this.#greet(this.#connections.accept(socket)));
    server.on('drop', () => this.#overflow++);
    server.on('request', (request, response) => void this.#handle(request, response));
    server.on('clientError', (error, socket) => this.#refuseGarbage(error, socket as Socket));
    return server;
  }

  #greet(caller: Caller | undefined): void {
    if (caller?.peer?.uid !== 0) return;
    try {
      this.#options.api.greet(caller.peer);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { api } = this.#options;
    const caller = this.#connections.callerOf(request.socket);
    this.#requests++;
    response.on('error', () => response.destroy());
    try {
      if (this.#isFollow(request)) this.#follow(request, response, caller);
      else sendJson(response, 200, await answer(api, request, caller, this.#limits.maxBodyBytes));
    } catch (error) {
      if (request.socket.destroyed) return; // The client left; there is nobody to tell.
      if (error instanceof Refusal) this.#refusals++;
      else if (!(error instanceof KerngateError)) this.#options.onError?.(error);
      const { status, body } = errorAnswer(error);
      sendJson(response, status, body);
    }
  }

  #isFollow(request: IncomingMessage): boolean {
    return request.method === 'GET' && request.url?.split('?')[0] === FOLLOW_PATH;
  }

  #follow(request: IncomingMessage, response: ServerResponse, caller: Caller): void {
    authorise(caller, 'read');
    const filter = validate(EVENT_QUERY, queryObject(urlOf(request))) as EventFilter;
    request.resume();
    this.#followers.add(this.#options.api, filter, response);
  }

  #refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
    this.#refusals++;
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const body = {
      error: late ? 'the request did not arrive in time' : 'this is no HTTP request',
      exit: EXIT.usage,
    };
    socket.end(late ? rawError(408, 'Request Timeout', body) : rawError(400, 'Bad Request', body));
    setTimeout(() => socket.destroy(), this.#limits.graceMs).unref();
  }
}

/** Listens on `socketPath`; throws KerngateError when another agent answers there or it cannot be made. */
export const startControlServer = (options: ControlServerOptions): Promise<ControlServer> =>
  new Control(options).listen();

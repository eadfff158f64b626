/** The events that travel through the pipeline, in the shape the contract fixes (§5). Types only. */
import type { Subject, SubjectKind } from './subject.js';

/** Every kind a policy may name in `on:`; not every kind has a source on every kernel. */
export const EVENT_KINDS = [
  'exec',
  'exit',
  'fork',
  'connect',
  'connect.ok',
  'connect.fail',
  'send',
  'accept',
  'listen',
  'close',
  'socket.raw',
  'auth.start',
  'auth.attempt',
  'auth.success',
  'auth.failure',
  'auth.end',
  'session.open',
  'session.close',
] as const;
/** With what the hooks tell beside: `hit`, a verdict met on a way that is neither a connect nor a send. */
export const SEEN_KINDS = [...EVENT_KINDS, 'hit'] as const;
export type EventKind = (typeof SEEN_KINDS)[number];

export type Proto = 'tcp' | 'udp' | 'sctp' | 'mptcp' | 'raw' | 'other';

/** What the kernel had already decided when it recorded the event. */
export type EventVerdict = 'none' | 'audit' | 'deny';

export interface Endpoint {
  /** Canonical text: IPv4 dotted, IPv6 compressed; a v4-mapped address appears as IPv4. */
  readonly ip: string;
  readonly port: number;
}

export interface AuthInfo {
  readonly service: string;
  readonly user: string;
  readonly rhost: string;
  readonly method: string;
  readonly outcome?: 'success' | 'failure' | 'abandoned';
}

/** One event as JSON: what `events`, evidence, captures and replay carry. */
export interface Event {
  readonly v: 1;
  /** RFC 3339, UTC. */
  readonly at: string;
  /** Nanoseconds since boot, decimal. */
  readonly boot_ns: string;
  readonly kind: EventKind;
  readonly pid: number;
  /** Start of the process, nanoseconds since boot, decimal. */
  readonly start: string;
  readonly ppid: number;
  /** Audit session id; null when the process has none. */
  readonly session: number | null;
  readonly uid: number;
  readonly comm: string;
  readonly exe: string;
  readonly cmdline?: string;
  readonly cgroup: { readonly id: string; readonly path: string };
  readonly unit?: string;
  readonly container?: string;
  readonly user?: string;
  readonly proto?: Proto;
  readonly src?: Endpoint;
  readonly dst?: Endpoint;
  /** 0, or an errno name such as `ECONNREFUSED`. */
  readonly result?: 0 | string;
  readonly auth?: AuthInfo;
  readonly verdict: EventVerdict;
  readonly decision?: string;
  /** On which way a verdict was met: `connect`, `send`, `send.open`, `receive`, `create` … */
  readonly way?: string;
  readonly untrusted?: boolean;
  readonly child?: number;
  /** Events lost by the agent's rings since it started. */
  readonly lost: number;
}

/**
 * An event on its way through the stages, read on demand: a live one is a cursor over the ring's
 * rows, a replayed one wraps its JSON. It is valid only during the call that received it; what
 * must be kept is kept by `snapshot()`.
 */
export interface EventView {
  readonly kind: EventKind;
  /** Nanoseconds since boot; exact below 2^53 (104 days), then off by at most 2 ns. */
  readonly atNs: number;
  readonly pid: number;
  /** Start of the process in clock ticks (10 ms) since boot: with `pid`, its identity. */
  readonly startTick: number;
  readonly ppid: number;
  /** Audit session id, or -1. */
  readonly session: number;
  readonly uid: number;
  readonly comm: string;
  readonly exe: string;
  readonly cmdline: string;
  readonly cgroupId: string;
  readonly cgroupPath: string;
  readonly unit: string | undefined;
  readonly container: string | undefined;
  readonly user: string | undefined;
  readonly proto: Proto | undefined;
  readonly srcIp: string | undefined;
  readonly srcPort: number | undefined;
  readonly dstIp: string | undefined;
  readonly dstPort: number | undefined;
  readonly result: 0 | string | undefined;
  readonly auth: AuthInfo | undefined;
  readonly verdict: EventVerdict;
  /** Decision id of the verdict, if any. */
  readonly decision: string | undefined;
  /** Hash of the policy whose verdict the event met or whose limit it crossed, if any. */
  readonly rule: string | undefined;
  /** True for the one event that crossed the limit of a rule pushed down to the kernel. */
  readonly crossed: boolean;
  /** True when another event told of this attempt already: it crossed several limits at once. */
  readonly again?: boolean;
  /** On which way a verdict was met. */
  readonly way?: string | undefined;
  /** Rules besides `rule` whose audit entries let the attempt pass. */
  readonly alsoUnder?: readonly string[] | undefined;
  readonly untrusted: boolean;
  readonly child: number | undefined;
  readonly lost: number;
  /** The subject this event counts for under `by`, or undefined when it has none. */
  key(by: SubjectKind): Subject | undefined;
  snapshot(): Event;
}

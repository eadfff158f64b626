/** A ControlApi that records what it is told and answers with fixed data: the far side of the socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlApi, EventFilter, EventSink, Peer } from '../../../src/control/api.js';
import {
  type ControlServer,
  type ControlServerOptions,
  startControlServer,
} from '../../../src/control/server.js';
import type { AllowEntry, Decision } from '../../../src/model/decision.js';
import { KerngateError } from '../../../src/model/error.js';
import type { Event } from '../../../src/model/event.js';

export const ROOT: Peer = { pid: 100, uid: 0, gid: 0 };
export const READER: Peer = { pid: 101, uid: 1000, gid: 990 };
export const STRANGER: Peer = { pid: 102, uid: 1001, gid: 1001 };

export const DECISION: Decision = {
  id: '0123456789abcdef',
  at: '2026-01-01T00:00:00.000Z',
  subject: { kind: 'process', id: '4242@77', name: 'hydra (pid 4242)' },
  action: 'deny',
  mode: 'enforce',
  enforced_by: 'agent',
  level: 'cgroup',
  policy: 'operator',
  reason: 'test',
  by: 'operator',
  until: '2026-01-01T00:10:00.000Z',
  hits: 0,
  deny: 'new',
};

export const ALLOW_ENTRY: AllowEntry = {
  subject: { kind: 'unit', id: 'backup.service', name: 'backup.service' },
  reason: 'test',
  by: 'operator',
};

export const makeEvent = (pid: number, comm = 'curl'): Event => ({
  v: 1,
  at: '2026-01-01T00:00:00.000Z',
  boot_ns: '1000',
  kind: 'connect',
  pid,
  start: '10',
  ppid: 1,
  session: null,
  uid: 0,
  comm,
  exe: '/usr/bin/curl',
  cgroup: { id: '1', path: '/' },
  dst: { ip: '192.0.2.1', port: 443 },
  verdict: 'none',
  lost: 0,
});

export interface FakeApi extends ControlApi {
  /** Calls that change something, as `name` and its arguments. */
  readonly changes: unknown[][];
  readonly greeted: Peer[];
  readonly followers: Set<{ filter: EventFilter; sink: EventSink }>;
  emit(event: Event): void;
}

export const createFakeApi = (): FakeApi => {
  const changes: unknown[][] = [];
  const greeted: Peer[] = [];
  const followers: FakeApi['followers'] = new Set();
  const note = <T>(answer: T, ...call: unknown[]): Promise<T> => {
    changes.push(call);
    return Promise.resolve(answer);
  };
  return {
    changes,
    greeted,
    followers,
    emit: (event) => {
      for (const { sink } of [...followers]) if (sink.hasRoom()) sink.event(event);
    },
    status: () => {
      throw new KerngateError('no status here', { exit: 'degraded', remedy: 'Wait.' });
    },
    decisions: () => [DECISION],
    block: (request, peer) => note({ decision: DECISION }, 'block', request, peer),
    unblock: (filter, peer) => {
      if (filter.id === 'unknown') throw new KerngateError('no such block', { exit: 'notFound' });
      return note([DECISION], 'unblock', filter, peer);
    },
    findings: () => [],
    sessions: () => {
      throw new TypeError('a slip');
    },
    events: (filter) => [makeEvent(filter.pid ?? 1, filter.kind ?? 'any')],
    follow: (filter, sink) => {
      const follower = { filter, sink };
      followers.add(follower);
      return () => void followers.delete(follower);
    },
    allowList: () => [ALLOW_ENTRY],
    allowAdd: (request, peer) => note(ALLOW_ENTRY, 'allowAdd', request, peer),
    allowRemove: (target, peer) => note([ALLOW_ENTRY], 'allowRemove', target, peer),
    allowCheck: (target) => (target.unit === 'backup.service' ? ALLOW_ENTRY : undefined),
    mode: () => 'audit',
    setMode: (mode, within, peer) => note(mode, 'setMode', mode, within, peer),
    confirm: (peer) => note(undefined, 'confirm', peer),
    panic: (peer) => note({ lifted: 3 }, 'panic', peer),
    policies: () => [],
    reload: () => note([], 'reload'),
    greet: (peer) => void greeted.push(peer),
  };
};

/** A folder that goes away with the test. */
export const scratchFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kg-control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

export interface Running {
  readonly api: FakeApi;
  readonly server: ControlServer;
  readonly socketPath: string;
  readonly errors: unknown[];
  /** Who the next connections come from. */
  peer: Peer;
}

/** A server on a real socket, for one test. */
export const startServer = async (options: Partial<ControlServerOptions> = {}): Promise<Running> => {
  const errors: unknown[] = [];
  const running = {
    api: createFakeApi(),
    socketPath: join(scratchFolder(), 'run', 'kg.sock'),
    errors,
    peer: ROOT,
  };
  const server = await startControlServer({
    socketPath: running.socketPath,
    api: running.api,
    peerCred: () => running.peer,
    accessOf: ({ uid, gid }) => (uid === 0 ? 'change' : gid === READER.gid ? 'read' : 'none'),
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(() => server.close());
  return Object.assign(running, { server });
};

/** Telemetry without blind spots: attempts that a tracepoint on system calls does not see, or gets wrong, are events. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventKind } from '../../src/model/event.js';
import { PROBER, Prober } from '../../src/selftest/prober.js';
import { eventsOf, QUIET, seen, sharedStand } from './acting.js';

/** native/ways/ways.h */
const TCP_PORT = 7001;
const UDP_PORT = 7002;
const SETTLE_MS = 500;

const stand = sharedStand({ policy: QUIET });
let dir = '';
let prober: Prober;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kerngate-events-'));
  for (const name of ['innocent', 'subject', 'elsewhere']) stand().makeCgroup(name);
  prober = new Prober(stand().cgroup, dir);
  await prober.up();
});
afterAll(async () => {
  await prober.end();
  rmSync(dir, { recursive: true, force: true });
});

/** Ways that some kernels do not have: there no attempt arrives, and there is nothing to see. */
const NEWER: readonly string[] = ['mptcp', 'mptcp-tfo', 'uring-socket', 'uring-sqpoll-async'];

const tried = async (way: string): Promise<{ pid: number; reached: boolean }> => {
  let attacker = 0;
  const { reached } = await prober.attempt(way, SETTLE_MS, async (pid) => {
    attacker = pid;
  });
  return { pid: attacker, reached };
};

const expectEvent = async (way: string, kind: EventKind, port: number): Promise<void> => {
  const { pid, reached } = await tried(way);
  if (!reached) {
    expect(NEWER).toContain(way);
    expect(await eventsOf(stand(), pid, kind)).toEqual([]);
    return;
  }
  const events = await seen(stand(), pid, kind);
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({ pid, exe: PROBER, dst: { ip: '127.0.0.1', port }, verdict: 'none' });
};

describe('one connect, of the right process, is told of', () => {
  it.each([
    'tcp4',
    'tcp4in6',
    'tcp4-nb',
    'tcp-coldpage',
    'tcp-int80',
    'tfo-sendto',
    'tfo-connect',
    'mptcp',
    'mptcp-tfo',
    'uring-connect',
    'uring-async',
    'uring-sqpoll',
    'uring-pre-sqpoll',
    'uring-sqpoll-async',
    'uring-socket',
  ])('%s', (way) => expectEvent(way, 'connect', TCP_PORT));
});

describe('one unconnected datagram, of the right process, is told of', () => {
  it.each([
    'udp4-sendto',
    'udp4-sendmsg',
    'udp4-sendmmsg',
    'udp4in6-sendto',
    'udp-int80',
    'uring-sendmsg-udp',
  ])('%s', (way) => expectEvent(way, 'send', UDP_PORT));
});

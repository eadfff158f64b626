/** The other sources of connect events: the same events for plain TCP, their declared gaps, and the way back. */
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Event } from '../../src/model/event.js';
import { act, deedsOf, eventsOf, QUIET, said, seen, startActor, timeless } from './acting.js';
import { isOffered } from './offers.js';
import { burst, type Stand, withStand } from './stand.js';

type Source = 'cgroup' | 'tracepoint' | 'fentry' | 'kprobe';

const PROGRAM: Readonly<Record<Source, string>> = {
  cgroup: 'kg_connect4',
  tracepoint: 'kg_tp_connect',
  fentry: 'kg_fe_connect',
  kprobe: 'kg_kp_connect',
};
const config = (source: string): string => `telemetry: {connect: ${source}}\nlimits: {windows: 64}\n`;
const STEPS = [
  'tcp,127.0.0.1,1',
  'tcp,::1,1',
  'tcp,::ffff:127.0.0.1,1',
  'tcp,0.0.0.0,1',
  'tcp,::,1',
  'mptcp,127.0.0.1,1',
];

/** Starts the agent with a source. False, after its refusal was looked at, when this kernel has none such. */
const startWith = async (stand: Stand, source: Source, more = {}): Promise<boolean> => {
  const agent = stand.launch({ policy: QUIET, config: config(source), ...more });
  if (source === 'cgroup' || source === 'tracepoint' || (await isOffered(source))) {
    await agent.line(/^ready /);
    expect(await hooks(stand)).toContain(PROGRAM[source]);
    return true;
  }
  await expect(agent.line(/^ready /)).rejects.toThrow(
    new RegExp(`telemetry\\.connect: ${source}: this kernel does not offer it: [^]*connect to auto`),
  );
  expect([agent.child.exitCode, existsSync(stand.pin)]).toEqual([1, false]);
  return false;
};

const hooks = async (stand: Stand): Promise<string[]> =>
  (await stand.json<{ hooks: { program: string }[] }>('status')).hooks.map(({ program }) => program);

/** What every source must say alike: everything but the time and the process. */
const comparable = (event: Event): unknown => ({
  ...timeless(event),
  pid: 0,
  cgroup: '',
  src: { ...event.src, port: 0 },
});

const deedsBy = async (stand: Stand, steps: readonly string[]): Promise<unknown[]> => {
  const actor = await act(stand, steps);
  return (await deedsOf(stand, actor.pid)).map(comparable);
};

const connectsBy = async (stand: Stand, steps: readonly string[]): Promise<number> => {
  const actor = await act(stand, steps);
  return (await eventsOf(stand, actor.pid, 'connect')).length;
};

/** Connect events of one connection whose call is made three times, and of a Unix socket. */
const repeatsSeen = async (stand: Stand): Promise<number> => {
  const path = join(stand.dir, 'server.sock');
  const unix = createServer();
  await new Promise<void>((resolve) => unix.listen(path, resolve));
  try {
    const server = startActor(stand, ['listen,127.0.0.1,0', 'accept']);
    await server.line(/^listen /);
    const [, port] = said(server, 'listen');
    const actor = await act(stand, [`tcp,127.0.0.1,${port}`, `again,127.0.0.1,${port}`, `unix,${path}`]);
    expect(said(actor, 'again')).toEqual([106, 106]);
    expect(said(actor, 'unix')).toEqual([0]);
    const events = await eventsOf(stand, actor.pid, 'connect');
    for (const { proto, dst } of events) expect([proto, dst?.port]).toEqual(['tcp', port]);
    return events.length;
  } finally {
    unix.close();
  }
};

/** Connect events of 100 attempts of which five pass, by their verdict. */
const verdictsSeen = async (stand: Stand): Promise<Record<string, number>> => {
  const attacker = stand.connector('loop', 100);
  expect(await attacker.line(/^passed/)).toBe('passed 5 denied 95 other 0');
  await seen(stand, attacker.pid, 'exit');
  const counts: Record<string, number> = {};
  for (const { verdict } of await eventsOf(stand, attacker.pid, 'connect')) {
    counts[verdict] = (counts[verdict] ?? 0) + 1;
  }
  return counts;
};

describe.each(['tracepoint', 'fentry', 'kprobe'] as const)('%s as source', (source) => {
  it('tells the same of a plain connect as the cgroup hook, and gives way to it again', () =>
    withStand(async (stand) => {
      if (!(await startWith(stand, source))) return;
      const bySource = await deedsBy(stand, STEPS);
      expect(bySource.length).toBeGreaterThanOrEqual(10);
      expect(await stand.stop()).toBe(0);
      const again = await stand.start({ config: config('auto') });
      expect(await again.line(/^ready /)).toMatch(/ adopted$/);
      expect(await hooks(stand)).not.toContain(PROGRAM[source]);
      expect(bySource).toEqual(await deedsBy(stand, STEPS));
    }));

  it('changes nothing about what is refused, and shows of it what it can', () =>
    withStand(async (stand) => {
      if (!(await startWith(stand, source, { mode: 'enforce', policy: burst() }))) return;
      // The gate tells of each refusal itself; the tracepoint has seen the calls before.
      const none = source === 'tracepoint' ? 100 : 5;
      expect(await verdictsSeen(stand)).toEqual({ none, deny: 95 });
    }));

  it('has the gaps it is said to have', () =>
    withStand(async (stand) => {
      if (!(await startWith(stand, source))) return;
      const isCall = source === 'tracepoint';
      expect(await repeatsSeen(stand)).toBe(isCall ? 3 : 1);
      expect(await connectsBy(stand, ['udp,127.0.0.1,9', 'udp,::1,9'])).toBe(isCall ? 2 : 0);
      // The stack refuses a broadcast before it begins to connect.
      expect(await connectsBy(stand, ['tcp,255.255.255.255,1'])).toBe(isCall ? 1 : 0);
    }));

  it('tells nothing of who is out of scope, nor of the agent', () =>
    withStand(async (stand) => {
      if (!(await startWith(stand, source))) return;
      const outside = stand.connectorIn('-', 'loop', 3);
      await outside.line(/^passed 3 /);
      expect(await connectsBy(stand, ['tcp,127.0.0.1,1'])).toBe(1);
      expect(await eventsOf(stand, outside.pid)).toEqual([]);
    }));
});

describe('the cgroup hook as source', () => {
  it('has none of these gaps', () =>
    withStand(async (stand) => {
      expect(await startWith(stand, 'cgroup', { mode: 'enforce', policy: burst({ by: 'process' }) })).toBe(
        true,
      );
      expect(await repeatsSeen(stand)).toBe(1);
      expect(await connectsBy(stand, ['udp,127.0.0.1,9', 'udp,::1,9'])).toBe(2);
      expect(await connectsBy(stand, ['tcp,255.255.255.255,1'])).toBe(1);
      expect(await verdictsSeen(stand)).toEqual({ none: 5, deny: 95 });
    }));
});

it('a source that ended with its agent costs the next one nothing', () =>
  withStand(async (stand) => {
    if (!(await startWith(stand, 'tracepoint'))) return;
    await stand.agent?.kill('SIGKILL');
    const next = await stand.start({ config: config('cgroup') });
    expect(await next.line(/^ready /)).toMatch(/ adopted$/);
    expect(await connectsBy(stand, ['tcp,127.0.0.1,1'])).toBe(1);
  }));

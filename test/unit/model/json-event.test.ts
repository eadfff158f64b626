/** The view over an event's JSON: every field, identity by ticks, and each key. */
import { describe, expect, it } from 'vitest';
import type { EventView } from '../../../src/model/event.js';
import { type CapturedEvent, JsonEvent } from '../../../src/model/json-event.js';
import { SUBJECT_KINDS, type SubjectKind } from '../../../src/model/subject.js';

const FULL: CapturedEvent = {
  v: 1,
  at: '2026-03-01T09:00:01.500Z',
  boot_ns: '101500000001',
  kind: 'connect',
  pid: 4242,
  start: '99129999999',
  ppid: 17,
  session: 3,
  uid: 1000,
  comm: 'probe',
  exe: '/usr/bin/probe',
  cmdline: 'probe --all',
  cgroup: { id: '5120', path: '/system.slice/web.service' },
  unit: 'web.service',
  container: 'ab'.repeat(32),
  user: 'alice',
  proto: 'tcp',
  src: { ip: '192.0.2.1', port: 40000 },
  dst: { ip: '2001:db8::5', port: 443 },
  result: 'ECONNREFUSED',
  auth: { service: 'web', user: 'bob', rhost: '198.51.100.4', method: 'password', outcome: 'failure' },
  verdict: 'audit',
  decision: '00000000000000ab',
  untrusted: true,
  child: 4243,
  lost: 7,
  rule: '00000000000000cd',
  crossed: true,
  lineage: { pid: 17, start: '80000000000', comm: 'bash' },
};

/** Only what the contract does not make optional. */
const BARE: CapturedEvent = {
  v: 1,
  at: '2026-03-01T09:00:01.500Z',
  boot_ns: '1',
  kind: 'exec',
  pid: 4242,
  start: '99129999999',
  ppid: 17,
  session: null,
  uid: 0,
  comm: '',
  exe: '',
  cgroup: { id: '0', path: '' },
  verdict: 'none',
  lost: 0,
};

const idOf = (event: Partial<CapturedEvent>, by: SubjectKind): string | undefined =>
  new JsonEvent({ ...FULL, ...event }).key(by)?.id;

describe('JsonEvent', () => {
  it('shows every field', () => {
    const wanted: Omit<EventView, 'key' | 'snapshot'> = {
      kind: 'connect',
      atNs: 101500000001,
      pid: 4242,
      startTick: 9912,
      ppid: 17,
      session: 3,
      uid: 1000,
      comm: 'probe',
      exe: '/usr/bin/probe',
      cmdline: 'probe --all',
      cgroupId: '5120',
      cgroupPath: '/system.slice/web.service',
      unit: 'web.service',
      container: 'ab'.repeat(32),
      user: 'alice',
      proto: 'tcp',
      srcIp: '192.0.2.1',
      srcPort: 40000,
      dstIp: '2001:db8::5',
      dstPort: 443,
      result: 'ECONNREFUSED',
      auth: FULL.auth,
      verdict: 'audit',
      decision: '00000000000000ab',
      rule: '00000000000000cd',
      crossed: true,
      untrusted: true,
      child: 4243,
      lost: 7,
    };
    const event = new JsonEvent(FULL);
    for (const [name, value] of Object.entries(wanted)) {
      expect(event[name as keyof typeof wanted], name).toEqual(value);
    }
    expect(event.snapshot()).toBe(FULL);
  });

  it('has a harmless value for each field that is missing', () => {
    const event = new JsonEvent(BARE);
    for (const name of [
      'unit',
      'container',
      'user',
      'proto',
      'srcIp',
      'srcPort',
      'dstIp',
      'dstPort',
    ] as const) {
      expect(event[name], name).toBeUndefined();
    }
    for (const name of ['result', 'auth', 'decision', 'rule', 'child'] as const) {
      expect(event[name], name).toBeUndefined();
    }
    expect([event.session, event.cmdline, event.crossed, event.untrusted]).toEqual([-1, '', false, false]);
  });

  it.each([
    ['0', 0],
    ['9999999', 0],
    ['10000000', 1],
    ['99129999999', 9912],
    // Past 2^53, where a number would round up to the next tick.
    ['9007199259999999', 900719925],
    ['90071992599999999', 9007199259],
  ])('gives the start %s as tick %i', (start, tick) => {
    expect(new JsonEvent({ ...BARE, start }).startTick).toBe(tick);
  });
});

describe('keys of an event', () => {
  it('are these', () => {
    const event = new JsonEvent(FULL);
    const keys = SUBJECT_KINDS.map((by) => event.key(by));
    expect(keys).toEqual([
      { kind: 'process', id: '4242@9912', name: 'probe (pid 4242)' },
      { kind: 'lineage', id: '17@8000', name: 'tree of bash (pid 17)' },
      { kind: 'session', id: '3', name: 'session 3' },
      { kind: 'cgroup', id: '5120', name: '/system.slice/web.service' },
      { kind: 'unit', id: 'web.service', name: 'web.service' },
      { kind: 'container', id: 'ab'.repeat(32), name: 'container abababababab' },
      { kind: 'user', id: '1000', name: 'alice' },
      { kind: 'exe', id: '/usr/bin/probe', name: '/usr/bin/probe' },
      { kind: 'source', id: '198.51.100.4', name: '198.51.100.4' },
      { kind: 'destination', id: '[2001:db8::5]:443', name: '[2001:db8::5]:443' },
    ]);
  });

  it('are absent where the event does not say', () => {
    const event = new JsonEvent(BARE);
    const known = SUBJECT_KINDS.filter((by) => event.key(by) !== undefined);
    expect(known).toEqual(['process', 'lineage', 'user']);
    expect(event.key('process')?.name).toBe('pid 4242');
    expect(event.key('user')?.name).toBe('uid 0');
  });

  it('name nobody when the owner is unknown', () => {
    for (const by of ['process', 'lineage', 'user'] as const) {
      expect(new JsonEvent({ ...BARE, pid: 0, start: '0' }).key(by)).toBeUndefined();
    }
  });

  it('take a process for its own lineage when nothing else is known', () => {
    expect(new JsonEvent({ ...BARE, comm: 'sh' }).key('lineage')).toEqual({
      kind: 'lineage',
      id: '4242@9912',
      name: 'tree of sh (pid 4242)',
    });
    expect(new JsonEvent({ ...BARE, lineage: { pid: 9, start: '20000000' } }).key('lineage')).toEqual({
      kind: 'lineage',
      id: '9@2',
      name: 'tree of pid 9',
    });
  });

  it('know the unset session of the kernel as none', () => {
    expect(idOf({ session: 0xffff_ffff }, 'session')).toBeUndefined();
    expect(idOf({ session: 0 }, 'session')).toBe('0');
  });

  it('spell destinations by family', () => {
    expect(idOf({ dst: { ip: '192.0.2.1', port: 22 } }, 'destination')).toBe('192.0.2.1:22');
    expect(idOf({ dst: { ip: '::1', port: 22 } }, 'destination')).toBe('[::1]:22');
  });

  const reported = (rhost: string): Partial<CapturedEvent> => ({
    kind: 'auth.failure',
    auth: { service: 'sshd', user: 'root', rhost, method: 'password' },
  });

  it.each([
    ['198.51.100.4', '198.51.100.4'],
    ['::ffff:198.51.100.4', '198.51.100.4'],
    ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['::2', '::2'],
    // A name is no address: the socket's peer counts instead.
    ['attacker.example.net', '192.0.2.1'],
    ['', '192.0.2.1'],
  ])('count a login from %j for source %s', (rhost, id) => {
    expect(idOf(reported(rhost), 'source')).toBe(id);
  });

  it('count an accepted connection for its peer, and no outbound one', () => {
    const { auth: _, ...plain } = FULL;
    expect(new JsonEvent({ ...plain, kind: 'accept' }).key('source')?.id).toBe('192.0.2.1');
    const six = { ip: '2001:db8:1:2::9', port: 5 };
    expect(new JsonEvent({ ...plain, kind: 'accept', src: six }).key('source')?.id).toBe('2001:db8:1:2::/64');
    expect(new JsonEvent(plain).key('source')).toBeUndefined();
  });
});

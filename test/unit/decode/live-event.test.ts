/** Whatever a record holds, the view says exactly that. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  KG_EVENT_FLAG,
  KG_SUBJECT_KIND,
  type KgEvent,
  KgEventRows,
  KINDS,
} from '../../../src/abi/generated.js';
import { LiveEvent } from '../../../src/decode/live-event.js';
import { ipFromBytes, ipToBytes } from '../../../src/lib/ip.js';
import { SUBJECT_KINDS } from '../../../src/model/subject.js';
import { anyRecord } from './any-record.js';
import { depsOf, drained, KnownFacts, kindOf, record } from './rows.js';

const viewOf = (fields: Partial<KgEvent>, enricher = new KnownFacts()): LiveEvent => {
  const { rows } = drained([record(fields)]);
  const event = new LiveEvent(new KgEventRows(rows), depsOf(enricher));
  event.load(0);
  return event;
};

const ip = (text: string): Uint8Array => ipToBytes(text) as Uint8Array;

const hex = (value: bigint): string | undefined =>
  value === 0n ? undefined : value.toString(16).padStart(16, '0');

/** The view's fields, read off the record in the plainest way. */
const expected = (r: KgEvent) => ({
  kind: KINDS[r.kind],
  atNs: Number(r.at_ns),
  pid: r.tgid,
  startTick: Number(r.start_ns / 10_000_000n),
  childTick: Number(r.count / 10_000_000n),
  ppid: r.ppid,
  session: r.session === 0xffffffff || (r.flags & KG_EVENT_FLAG.NOOWNER) !== 0 ? -1 : r.session,
  uid: r.uid,
  comm: r.comm,
  cgroupId: r.cgroup.toString(),
  result:
    ['connect.ok', 'connect.fail'].includes(KINDS[r.kind] ?? '') || r.result !== 0
      ? expect.anything()
      : undefined,
  verdict: ['none', 'audit', 'deny', 'none'][r.verdict],
  decision: hex(r.decision),
  rule: hex(r.rule),
  crossed: (r.flags & KG_EVENT_FLAG.CROSSED) !== 0,
  spared: (r.flags & KG_EVENT_FLAG.SPARED) !== 0,
  ended: (r.flags & KG_EVENT_FLAG.ENDED) !== 0,
  shared: (r.flags & KG_EVENT_FLAG.SHARED) !== 0,
  ownerless: (r.flags & KG_EVENT_FLAG.NOOWNER) !== 0,
  hits: Number(r.count),
  child: KINDS[r.kind] === 'fork' ? r.child : undefined,
  lineagePid: r.lineage_tgid,
  lineageTick: Number(r.lineage_tick),
  lost: 7,
});

const endOf = (bytes: Uint8Array, port: number): [string | undefined, number | undefined] => {
  const text = ipFromBytes(bytes);
  return (text === '::' || text === '0.0.0.0') && port === 0 ? [undefined, undefined] : [text, port];
};

describe('every field', () => {
  it('survives the way through the rows, in any order of reading', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 5 }), (records) => {
        const { rows } = drained(records.map(record));
        const event = new LiveEvent(new KgEventRows(rows), depsOf(new KnownFacts()));
        for (const [i, r] of [...records.entries()].reverse()) {
          event.load(i);
          const wanted = expected(r);
          const fields = Object.keys(wanted) as (keyof typeof wanted)[];
          expect(Object.fromEntries(fields.map((field) => [field, event[field]]))).toEqual(wanted);
          expect([event.srcIp, event.srcPort]).toEqual(endOf(r.saddr, r.sport));
          expect([event.dstIp, event.dstPort]).toEqual(endOf(r.daddr, r.dport));
          expect(event.snapshot()).toMatchObject({
            boot_ns: `${r.at_ns}`,
            start: `${r.start_ns}`,
            pid: r.tgid,
          });
        }
      }),
    );
  });

  it('gives the tick of a start exactly, on either side of each boundary', () => {
    for (const base of [10_000_000n, 2n ** 53n, 9_007_199_260_000_000n, 2n ** 60n]) {
      const boundary = (base / 10_000_000n) * 10_000_000n;
      for (const ns of [boundary - 1n, boundary, boundary + 1n]) {
        expect(viewOf({ start_ns: ns }).startTick).toBe(Number(ns / 10_000_000n));
      }
    }
  });

  it('names errors as the kernel does', () => {
    const result = (number: number) => viewOf({ kind: 7, result: number }).result;
    expect([0, -1, -11, -95, -110, -111, -524].map(result)).toEqual([
      0,
      'EPERM',
      'EAGAIN',
      'EOPNOTSUPP',
      'ETIMEDOUT',
      'ECONNREFUSED',
      'ERRNO_524',
    ]);
  });

  it('names protocols', () => {
    const proto = (number: number) => viewOf({ proto: number }).proto;
    expect([0, 6, 17, 132, 47].map(proto)).toEqual([undefined, 'tcp', 'udp', 'sctp', 'other']);
  });

  it('asks for facts only when they are wanted, and once', () => {
    const enricher = new KnownFacts();
    const event = viewOf({ tgid: 5, start_ns: 10_000_000n, uid: 1000 }, enricher);
    expect([event.kind, event.pid, event.key('process')?.id, enricher.asked]).toEqual([
      'connect',
      5,
      '5@1',
      0,
    ]);
    expect([event.exe, event.cmdline, event.exe, enricher.asked]).toEqual(['', '', '', 1]);
  });

  it('forgets the facts of the event before', () => {
    const enricher = new KnownFacts();
    enricher.exec(5, 1, 'a', '/bin/a', []);
    const { rows } = drained([
      record({ tgid: 5, start_ns: 10_000_000n, comm: 'a', dport: 1, cgroup: 4242n }),
      record({ tgid: 6, start_ns: 10_000_000n, comm: 'b', dport: 2 }),
    ]);
    const event = new LiveEvent(new KgEventRows(rows), depsOf(enricher));
    event.load(0);
    const read = () => [
      event.comm,
      event.exe,
      event.unit,
      event.dstPort,
      event.key('process')?.id,
      event.cgroupId,
    ];
    expect(read()).toEqual(['a', '/bin/a', 'web.service', 1, '5@1', '4242']);
    event.load(1);
    expect(read()).toEqual(['b', '', undefined, 2, '6@1', '0']);
  });
});

describe('keys', () => {
  const full: Partial<KgEvent> = {
    start_ns: 990_000_000n,
    tgid: 4242,
    uid: 1000,
    session: 3,
    cgroup: 4242n,
    lineage_tgid: 4000,
    lineage_tick: 50n,
    comm: 'hydra',
    daddr: ip('10.0.0.9'),
    dport: 22,
  };

  it('are what the event counts for, with names for people', () => {
    const enricher = new KnownFacts();
    enricher.exec(4242, 99, 'hydra', '/usr/bin/hydra', []);
    enricher.exec(4000, 50, 'bash', '/bin/bash', []);
    const event = viewOf(full, enricher);
    expect(SUBJECT_KINDS.map((by) => event.key(by)).filter(Boolean)).toEqual([
      { kind: 'process', id: '4242@99', name: 'hydra (pid 4242)' },
      { kind: 'lineage', id: '4000@50', name: 'tree of bash (pid 4000)' },
      { kind: 'session', id: '3', name: 'session 3' },
      { kind: 'cgroup', id: '4242', name: '/system.slice/web.service' },
      { kind: 'unit', id: 'web.service', name: 'web.service' },
      { kind: 'user', id: '1000', name: 'ann' },
      { kind: 'exe', id: '/usr/bin/hydra', name: '/usr/bin/hydra' },
      { kind: 'destination', id: '10.0.0.9:22', name: '10.0.0.9:22' },
    ]);
  });

  it('are missing where the event has none', () => {
    const event = viewOf({ session: 0, flags: KG_EVENT_FLAG.NOOWNER });
    expect(SUBJECT_KINDS.map((by) => event.key(by)).filter(Boolean)).toEqual([]);
  });

  it('take the peer of an accepted connection as its source, IPv6 by /64, and nobody else', () => {
    const source = (saddr: string, on: 'accept' | 'connect.ok' = 'accept') =>
      viewOf({ ...full, kind: kindOf(on), saddr: ip(saddr), sport: 5 }).key('source')?.id;
    expect(source('192.0.2.7')).toBe('192.0.2.7');
    expect(source('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(source('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(source('127.0.0.1')).toBe('127.0.0.1');
    expect(source('192.0.2.7', 'connect.ok')).toBeUndefined();
  });

  it('put IPv6 destinations into brackets', () => {
    expect(viewOf({ ...full, daddr: ip('2001:db8::1') }).key('destination')?.id).toBe('[2001:db8::1]:22');
  });

  it('name the subject of a verdict', () => {
    const by = (number: number) => viewOf({ by: number }).verdictBy;
    expect(by(KG_SUBJECT_KIND.LINEAGE)).toBe('lineage');
    expect(by(KG_SUBJECT_KIND.DEST)).toBe('destination');
    expect(by(KG_SUBJECT_KIND.NONE)).toBeUndefined();
  });

  it('call a lineage by its root, which may be the process itself', () => {
    const name = (fields: Partial<KgEvent>) => viewOf({ ...full, ...fields }).key('lineage')?.name;
    expect(name({ lineage_tgid: 4242, lineage_tick: 99n })).toBe('tree of hydra (pid 4242)');
    expect(name({})).toBe('tree of pid 4000');
  });
});

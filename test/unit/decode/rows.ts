/** Lays records out as the native drain does, and answers for processes, groups and users. */
import {
  encodeKgEvent,
  KG_EVENT_SIZE,
  KG_EVENT_WORDS,
  KG_ROW_WORDS,
  type KgEvent,
  KINDS,
} from '../../../src/abi/generated.js';
import type { BatchSource } from '../../../src/decode/batch.js';
import type { LiveEventDeps } from '../../../src/decode/live-event.js';
import type { Enricher, ProcessFacts, ProcessFeed } from '../../../src/model/enricher.js';
import type { EventKind } from '../../../src/model/event.js';
import { processId } from '../../../src/model/subject.js';

const EMPTY: KgEvent = {
  at_ns: 0n,
  start_ns: 0n,
  cgroup: 0n,
  lineage_tick: 0n,
  decision: 0n,
  rule: 0n,
  exe_ino: 0n,
  count: 0n,
  exe_dev: 0,
  tgid: 0,
  ppid: 0,
  uid: 0,
  session: 0xffffffff,
  lineage_tgid: 0,
  child: 0,
  result: 0,
  kind: 1,
  sport: 0,
  dport: 0,
  proto: 0,
  verdict: 0,
  flags: 0,
  by: 0,
  way: 0,
  comm: '',
  saddr: new Uint8Array(16),
  daddr: new Uint8Array(16),
};

/** Bytes of a record; fields that are not given are zero, the session unset. */
export const record = (fields: Partial<KgEvent>): Uint8Array =>
  new Uint8Array(encodeKgEvent({ ...EMPTY, ...fields }).buffer);

/** The number of a kind. */
export const kindOf = (kind: EventKind): number =>
  Number(Object.keys(KINDS).find((number) => KINDS[Number(number)] === kind));

/** Lays records, each perhaps followed by its tail, out as rows with room to spare. */
export const drained = (records: readonly Uint8Array[]): BatchSource => {
  const rows = new Uint32Array(KG_ROW_WORDS * (records.length + 3));
  const tails: number[] = [];
  for (const [i, bytes] of records.entries()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let word = 0; word < KG_EVENT_WORDS; word++) {
      rows[i * KG_ROW_WORDS + word] = view.getUint32(word * 4, true);
    }
    const tail = bytes.subarray(KG_EVENT_SIZE);
    rows[i * KG_ROW_WORDS + KG_EVENT_WORDS] = tails.length;
    rows[i * KG_ROW_WORDS + KG_EVENT_WORDS + 1] = tail.length;
    tails.push(...tail);
  }
  return { rows, tail: Uint8Array.from(tails) };
};

/** Knows what it is told: process facts by `PID@TICK`, one group, one user. */
export class KnownFacts implements Enricher, ProcessFeed {
  readonly facts = new Map<string, ProcessFacts>();
  readonly heard: string[] = [];
  asked = 0;

  process(pid: number, startTick: number, _comm: string): ProcessFacts {
    this.asked++;
    return this.facts.get(processId(pid, startTick)) ?? { comm: '', exe: '', cmdline: '' };
  }

  nameOf(pid: number, startTick: number): string {
    return this.facts.get(processId(pid, startTick))?.comm ?? '';
  }

  cgroup(id: string): ReturnType<Enricher['cgroup']> {
    const path = id === '4242' ? '/system.slice/web.service' : '';
    return { path, unit: path === '' ? undefined : 'web.service', container: undefined };
  }

  user(uid: number): string | undefined {
    return uid === 1000 ? 'ann' : undefined;
  }

  exec(pid: number, startTick: number, comm: string, path: string, args: readonly string[]): void {
    this.heard.push(`exec ${processId(pid, startTick)} ${comm} ${path} ${JSON.stringify(args)}`);
    this.facts.set(processId(pid, startTick), { comm, exe: path, cmdline: args.join(' ') });
  }

  fork(pid: number, startTick: number, comm: string, child: number, childTick: number): void {
    this.heard.push(`fork ${processId(pid, startTick)} ${comm} ${processId(child, childTick)}`);
  }

  exit(pid: number, startTick: number): void {
    this.heard.push(`exit ${processId(pid, startTick)}`);
  }
}

/** Boot was at the epoch; seven events were lost. */
export const depsOf = (enricher: Enricher): LiveEventDeps => ({
  enricher,
  clock: { wall: (bootNs) => new Date(Math.floor(bootNs / 1e6)).toISOString() },
  lost: () => 7,
});

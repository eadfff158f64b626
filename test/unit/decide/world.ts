/** A small world for the decide stage: a clock that is set by hand, a journal in memory, policies to rule by. */
import { AllowList } from '../../../src/decide/allow-list.js';
import { Book } from '../../../src/decide/book.js';
import type { Breaker } from '../../../src/decide/breaker.js';
import type { Limits } from '../../../src/decide/core.js';
import { Guardrails, type HostFacts, type ProtectedProcess } from '../../../src/decide/guardrails.js';
import { readLines, writeLine } from '../../../src/decide/journal-lines.js';
import { Ledger } from '../../../src/decide/ledger.js';
import type { Journal, JournalRecord } from '../../../src/decide/record.js';
import type { DecideInput } from '../../../src/decide/rule-on.js';
import type { LedgerState } from '../../../src/decide/state.js';
import type { Clock } from '../../../src/lib/clock.js';
import { hexId } from '../../../src/lib/hex-id.js';
import type { Policy, Then } from '../../../src/model/policy.js';
import type { Subject, SubjectKind } from '../../../src/model/subject.js';

export const SECOND = 1e9;
export const MINUTE = 60 * SECOND;
export const HOUR = 3600 * SECOND;

/** Boot time in ns, and the wall time (ms) at which the boot's clock stood at 0. */
export class HandClock implements Clock {
  ns: number;
  zeroMs: number;
  constructor(ns = HOUR, zeroMs = Date.parse('2026-01-02T03:04:05Z')) {
    this.ns = ns;
    this.zeroMs = zeroMs;
  }
  bootNs(): number {
    return this.ns;
  }
  wall(ns: number): string {
    return new Date(this.zeroMs + Math.round(ns / 1e6)).toISOString();
  }
}

/** Keeps the text a file would hold, so that every replay goes through the codec. */
export class TextJournal implements Journal {
  text = '';
  grown = false;
  take: (records: readonly JournalRecord[]) => void = () => {};
  append(records: readonly JournalRecord[]): void {
    this.text += records.map(writeLine).join('');
  }
  poll(): void {}
  rewrite(make: () => Iterable<JournalRecord>): void {
    this.text = [...make()].map(writeLine).join('');
  }
  onForeign(take: (records: readonly JournalRecord[]) => void): void {
    this.take = take;
  }
  records(): JournalRecord[] {
    return recordsOf(this.text);
  }
}

export const recordsOf = (text: string): JournalRecord[] => {
  const { records, damaged } = readLines(Buffer.from(text));
  if (damaged.length > 0) throw new Error(`damaged: ${JSON.stringify(damaged)}`);
  return records;
};

/** All of a state but the hits, which the kernel keeps, and the latest record's times. */
export const essence = (state: LedgerState): unknown => ({
  live: [...state.live.values()].map(({ entry, strike }) => {
    const { hits: _, last_hit: __, ...rest } = entry;
    return { ...rest, strike };
  }),
  allow: [...state.allow.values()],
  ended: [...state.ended.entries()],
  strikes: [...state.strikes.rows()],
  lifted: [state.tombstones.ids, state.tombstones.subjects, state.tombstones.policies].map((table) => [
    ...table.entries(),
  ]),
  latches: [state.mode, state.panicked, state.tripped, state.demotedNs, state.tombstones.allNs],
});

export const subject = (kind: SubjectKind, id: string): Subject => ({ kind, id, name: `${kind} ${id}` });
export const PROC = subject('process', '4242@100');
export const GROUP = subject('cgroup', '77');

const THEN: Then = {
  block: 'process',
  forNs: 10 * MINUTE,
  deny: 'new',
  sever: false,
  alert: false,
  allow: false,
};

export const policy = (name = 'burst', then: Partial<Then> = {}): Policy => ({
  name,
  file: `${name}.yaml`,
  line: 1,
  summary: 'Too many connections.',
  attack: ['T1046'],
  severity: 'medium',
  mode: undefined,
  priority: 500,
  on: ['connect'],
  matches: () => true,
  detect: { type: 'rule' },
  then: { ...THEN, ...then },
  hash: hexId('rule', name),
  placement: 'agent',
  why: '',
});

export const alertOnly = (): Policy => {
  const { block: _, ...then } = { ...THEN, alert: true };
  return { ...policy('alert'), then };
};

export interface WorldOptions {
  readonly clock?: HandClock;
  readonly boot?: string;
  readonly text?: string;
  readonly host?: Partial<HostFacts>;
  readonly processes?: readonly ProtectedProcess[];
  readonly limits?: Limits;
  readonly breaker?: Breaker;
}

/** Everything of the stage, wired as the agent wires it. */
export const world = (options: WorldOptions = {}) => {
  const clock = options.clock ?? new HandClock();
  const journal = new TextJournal();
  journal.text = options.text ?? '';
  const book = new Book({ clock, bootId: options.boot ?? 'boot-1', journal, history: journal.records() });
  const allow = new AllowList(book);
  const host: HostFacts = {
    addresses: () => ({
      gateways: ['10.0.0.1'],
      resolvers: ['10.0.0.53', '2001:db8::53'],
      own: ['10.0.0.9'],
    }),
    rootCgroup: '1',
    protectedIn: () => [],
    ...options.host,
  };
  const guardrails = new Guardrails(host, allow, options.processes);
  const ledger = new Ledger(book, guardrails, options.limits, options.breaker);
  const decide = (change: Partial<DecideInput> = {}) => ledger.decide(input(clock, change));
  return { clock, journal, book, allow, guardrails, ledger, decide };
};

export type World = ReturnType<typeof world>;

const input = (clock: HandClock, change: Partial<DecideInput>): DecideInput => {
  const rule = change.policy ?? policy();
  const who = change.subject ?? PROC;
  return {
    finding: {
      id: hexId('finding', who.id, clock.ns),
      at: clock.wall(clock.ns),
      policy: rule.name,
      severity: 'medium',
      attack: [],
      subject: change.counted ?? who,
      summary: 'It did too much.',
      evidence: [],
      lost: 0,
    },
    policy: rule,
    subject: who,
    counted: who,
    mode: 'enforce',
    atNs: clock.ns,
    inKernel: false,
    rule: rule.hash,
    level: 'lsm',
    untrusted: false,
    ...change,
  };
};

export const blockInput = (who: Subject = PROC, forNs = 10 * MINUTE) => ({
  subject: who,
  forNs,
  reason: 'seen it myself',
  deny: 'new' as const,
  mode: 'enforce' as const,
  level: 'lsm' as const,
});

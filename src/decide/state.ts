/** The ledger's state: a fold over journal records, the same whether they come live or from a replay. */
import type { AllowEntry, LedgerEntry, Mode } from '../model/decision.js';
import { subjectKey } from '../model/subject.js';
import { BoundedMap } from './bounded-map.js';
import { Strikes } from './escalation.js';
import { type Held, LiveTable } from './live-table.js';
import { rebase } from './reboot.js';
import type { EndReason, JournalRecord, Lift, Row, Stamp, Table, Tripped } from './record.js';
import { Tombstones } from './tombstones.js';

const ENDED_LIMIT = 65_536;

export interface HeldAllow {
  readonly entry: AllowEntry;
  /** Infinity: no end. */
  readonly untilNs: number;
}

export class LedgerState {
  readonly live = new LiveTable();
  readonly allow = new Map<string, HeldAllow>();
  /** Ids of the past, with policy and subject key: an unblock of one of them is no error. */
  readonly ended = new BoundedMap<{ readonly policy: string; readonly key: string }>(ENDED_LIMIT);
  readonly strikes = new Strikes();
  readonly tombstones = new Tombstones();
  /** As last switched; undefined: never. */
  mode: Mode | undefined;
  panicked = false;
  /** The breaker keeps the agent in audit; undefined: it does not. */
  tripped: Tripped | undefined;
  /** Denies that began at or before it count as audit; -1: none. */
  demotedNs = -1;
  /** The latest record's times. */
  stamp: Stamp | undefined;

  /** The only way this state changes, apart from hits, which the kernel counts and keeps. */
  apply(record: JournalRecord): void {
    if (this.stamp !== undefined && this.stamp.boot !== record.boot) rebase(this, this.stamp, record);
    this.stamp = { boot: record.boot, at: record.at, at_ns: record.at_ns };
    switch (record.kind) {
      case 'boot':
        break;
      case 'block':
        this.live.put({ entry: { ...record.entry }, strike: record.strike });
        break;
      case 'unblock':
        this.#lift(record, record.at_ns);
        break;
      case 'end':
        this.#end(record.ids, record.why, record.gone, record.at_ns);
        break;
      case 'mode':
        this.#switch(record.mode, record.demoted_ns ?? record.at_ns);
        if (record.tripped !== undefined) this.tripped = { at: record.at, reason: record.tripped };
        break;
      case 'panic':
        this.panicked = true;
        this.#lift({ all: true }, record.at_ns);
        break;
      case 'allow':
        this.allowed(record.entry, record.until_ns ?? Number.POSITIVE_INFINITY);
        break;
      case 'disallow':
        for (const key of record.subjects) this.allow.delete(key);
        break;
      case 'latch':
        this.#latch(record);
        break;
      case 'memory':
        this.#load(record.table, record.rows);
    }
  }

  allowed(entry: AllowEntry, untilNs: number): void {
    this.allow.set(subjectKey(entry.subject), { entry, untilNs });
  }

  /** Takes a decision out of force; its next block counts one strike more. */
  close(held: Held, endNs: number): void {
    const { entry } = held;
    this.forget(held);
    if (entry.by === 'policy')
      this.strikes.note(subjectKey(entry.subject), entry.policy, held.strike + 1, endNs);
  }

  /** Takes a decision out of force as if its policy had never blocked the subject. */
  forget({ entry }: Held): void {
    this.live.remove(entry.id);
    this.ended.set(entry.id, { policy: entry.policy, key: subjectKey(entry.subject) });
  }

  #end(ids: readonly string[], why: EndReason, gone: string | undefined, atNs: number): void {
    for (const id of ids) {
      const held = this.live.get(id);
      if (held) this.close(held, why === 'expired' ? held.entry.untilNs : Math.min(atNs, held.entry.untilNs));
    }
    if (gone !== undefined) this.strikes.forget(gone);
  }

  #lift(lift: Lift, atNs: number): void {
    const lifted = this.liftable(lift);
    for (const held of lifted) {
      this.forget(held);
      this.strikes.forgetOne(subjectKey(held.entry.subject), held.entry.policy);
    }
    for (const id of lift.ids ?? []) {
      const past = this.ended.get(id);
      if (past) this.strikes.forgetOne(past.key, past.policy);
    }
    for (const key of lift.subjects ?? []) this.strikes.forget(key);
    for (const policy of lift.policies ?? []) this.strikes.forgetPolicy(policy);
    if (lift.all) this.strikes.clear();
    this.tombstones.mark(
      { ...lift, ids: [...(lift.ids ?? []), ...lifted.map((held) => held.entry.id)] },
      atNs,
    );
  }

  /** Live decisions a lift takes back, in order of their making. */
  liftable(lift: Lift): Held[] {
    const [ids, keys, policies] = [lift.ids, lift.subjects, lift.policies].map((list) => new Set(list));
    const isHit = ({ id, subject, policy }: LedgerEntry): boolean =>
      lift.all === true || !!ids?.has(id) || !!keys?.has(subjectKey(subject)) || !!policies?.has(policy);
    return [...this.live.values()].filter(({ entry }) => isHit(entry));
  }

  #switch(mode: Mode, atNs: number): void {
    this.mode = mode;
    if (mode === 'enforce') {
      this.panicked = false;
      this.tripped = undefined;
      return;
    }
    this.demotedNs = Math.max(this.demotedNs, atNs);
    for (const { entry } of this.live.values()) entry.mode = 'audit';
  }

  #latch(record: Extract<JournalRecord, { kind: 'latch' }>): void {
    this.mode = record.mode;
    this.tripped = record.tripped;
    this.panicked = record.panicked;
    this.demotedNs = record.demoted_ns;
    this.tombstones.allNs = record.lifted_ns;
  }

  #load(table: Table, rows: readonly Row[]): void {
    if (table === 'strikes') this.strikes.load(rows);
    else if (table === 'ended') {
      for (const [id, policy, key] of rows)
        this.ended.set(String(id), { policy: String(policy), key: String(key) });
    } else this.tombstones.load(table, rows);
  }
}

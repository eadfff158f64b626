/** What the operator lifted, and when: so that a kernel entry from before is never taken for live. */
import { BoundedMap } from './bounded-map.js';
import type { Lift, Row, Table } from './record.js';

const LIMIT = 65_536;

/** What identifies a decision found in the kernel or in a late event. */
export interface Claim {
  readonly id?: string | undefined;
  /** Key of its subject. */
  readonly key: string;
  readonly policy?: string | undefined;
  readonly sinceNs: number;
}

/** Each table holds boot times; a reboot clears them all, since the kernel's entries are gone too. */
export class Tombstones {
  readonly ids = new BoundedMap<number>(LIMIT);
  readonly subjects = new BoundedMap<number>(LIMIT);
  readonly policies = new BoundedMap<number>(LIMIT);
  /** Everything that began at or before this moment was lifted; -1: nothing. */
  allNs = -1;

  /** `ids` are those really lifted; the rest is the filter as the operator gave it. */
  mark(lift: Lift, atNs: number): void {
    for (const id of lift.ids ?? []) this.ids.set(id, atNs);
    for (const key of lift.subjects ?? []) this.subjects.set(key, atNs);
    for (const policy of lift.policies ?? []) this.policies.set(policy, atNs);
    if (lift.all) this.allNs = Math.max(this.allNs, atNs);
  }

  /** True when the operator lifted it after it began. An id is lifted for good. */
  covers(claim: Claim): boolean {
    if (claim.id !== undefined && this.ids.has(claim.id)) return true;
    const policyNs = claim.policy === undefined ? undefined : this.policies.get(claim.policy);
    const latest = Math.max(this.allNs, this.subjects.get(claim.key) ?? -1, policyNs ?? -1);
    return claim.sinceNs <= latest;
  }

  get evicted(): number {
    return this.ids.evicted + this.subjects.evicted + this.policies.evicted;
  }

  clear(): void {
    this.ids.clear();
    this.subjects.clear();
    this.policies.clear();
    this.allNs = -1;
  }

  load(table: Exclude<Table, 'strikes' | 'ended'>, rows: readonly Row[]): void {
    const into = {
      'lifted-ids': this.ids,
      'lifted-subjects': this.subjects,
      'lifted-policies': this.policies,
    };
    for (const [key, ns] of rows) into[table].set(String(key), Number(ns));
  }
}

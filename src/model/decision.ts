/** What was decided: the element of `blocks -o json`, and what the ledger keeps of it. */
import type { Subject } from './subject.js';

export type Mode = 'audit' | 'enforce';
export type Level = 'lsm' | 'fmod_ret' | 'cgroup';
export type DenyScope = 'new' | 'all' | 'isolate';

/** The weaker of two modes. */
export const weaker = (a: Mode, b: Mode): Mode => (a === 'audit' || b === 'audit' ? 'audit' : 'enforce');

/** What became of the sockets a subject had open; in audit, what would have. */
export interface Severed {
  readonly closed: number;
  /** Left alone: a protected process or a stranger holds them too. */
  readonly kept: number;
  /** The kernel could not destroy them. */
  readonly failed: number;
  /** Why some could not be found or destroyed. */
  readonly why?: string;
}

export interface Decision {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly at: string;
  readonly subject: Subject;
  readonly action: 'deny';
  mode: Mode;
  readonly enforced_by: 'kernel' | 'agent' | 'nftables';
  readonly level: Level | 'nftables';
  readonly policy: string;
  finding?: string;
  reason: string;
  readonly by: 'policy' | 'operator';
  /** RFC 3339, UTC. */
  until: string;
  /** Attempts this decision denied, or would have denied in audit. */
  hits: number;
  last_hit?: string;
  readonly deny: DenyScope;
  /** Protected tasks inside the subject that stay free, by name. */
  spared?: string[];
  /** Sockets that were open when it came into force are ended too. */
  readonly sever?: boolean;
  severed?: Severed;
  /** Its cgroups stand still while it is in force. */
  readonly freeze?: boolean;
}

/** A decision with what only the agent needs. Times are nanoseconds since boot. */
export interface LedgerEntry extends Decision {
  readonly sinceNs: number;
  untilNs: number;
  /** Hash of the rule (16 hexadecimal digits), `0` repeated for the operator's. */
  readonly rule: string;
  /** True when the fact is a window entry in the kernel, and this entry its copy. */
  readonly pushed: boolean;
}

/** One row of the never-block list. */
export interface AllowEntry {
  readonly subject: Subject;
  readonly reason: string;
  readonly by: 'birth' | 'operator' | 'config';
  /** RFC 3339, UTC; absent: no end. */
  readonly until?: string;
}

/** What the ledger wants the kernel to hold: one entry per subject. */
import type { DenyScope } from './decision.js';
import type { Subject } from './subject.js';

export interface DesiredEntry {
  readonly subject: Subject;
  readonly verdict: 'deny' | 'audit' | 'allow';
  /** 16 hexadecimal digits; zeros for an allow entry. */
  readonly decision: string;
  readonly rule: string;
  /** How far a deny reaches; of no meaning for an allow entry. */
  readonly deny: DenyScope;
  readonly sinceNs: number;
  /** Infinity: no end. */
  readonly untilNs: number;
}

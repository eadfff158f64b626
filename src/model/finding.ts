/** What a detector says: who did what, shown by which events. */
import type { Event } from './event.js';
import type { Subject } from './subject.js';

export type Severity = 'low' | 'medium' | 'high' | 'critical';

export interface Finding {
  /** 16 hexadecimal digits. */
  readonly id: string;
  readonly at: string;
  readonly policy: string;
  readonly severity: Severity;
  readonly attack: readonly string[];
  readonly subject: Subject;
  readonly summary: string;
  readonly evidence: readonly Event[];
  /** Events lost in the window this finding rests on. */
  readonly lost: number;
  decision?: string;
}

/** What enforcement really did. */
import type { Subject } from './subject.js';

export interface Outcome {
  readonly subject: Subject;
  readonly decision: string;
  readonly did: 'applied' | 'removed' | 'unchanged' | 'failed';
  /** Set when `did` is `failed`: what the kernel said and what to do. */
  readonly error?: string;
}

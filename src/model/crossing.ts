/** One limit crossed by one event: what the detectors hand to decide. Types only. */
import type { EventView } from './event.js';
import type { BurstTier, Policy } from './policy.js';
import type { Subject } from './subject.js';

export interface Crossing {
  readonly policy: Policy;
  /** Whom the policy's `block` names; the counted subject when it blocks nobody or the event has none. */
  readonly subject: Subject;
  /** Whose window crossed. */
  readonly counted: Subject;
  /** The event that crossed; valid only during the call that received it. */
  readonly event: EventView;
  /** True when the kernel has counted, and its entry already holds the verdict. */
  readonly inKernel: boolean;
  /** True when the event's claims are not proven: good for an alert, never for a block. */
  readonly untrusted: boolean;
  /** Burst: the tier that was crossed. */
  readonly tier?: BurstTier;
  /** Burst over distinct values: how many lay in the window. */
  readonly distinct?: number;
}

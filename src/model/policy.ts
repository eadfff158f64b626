/** A policy after parsing: what detectors, the kernel and decisions need of it. */
import type { DenyScope, Mode } from './decision.js';
import type { EventKind, EventView } from './event.js';
import type { Severity } from './finding.js';
import type { Blockable, SubjectKind } from './subject.js';

export interface BurstTier {
  readonly limit: number;
  readonly withinNs: number;
}

export type DistinctField = 'dst' | 'dst.ip' | 'dst.port' | 'user';

export type Detect =
  | { readonly type: 'rule' }
  | {
      readonly type: 'burst';
      readonly tiers: readonly BurstTier[];
      readonly by: SubjectKind;
      readonly distinct?: DistinctField;
    };

export interface Then {
  readonly block?: Blockable;
  readonly forNs: number;
  readonly deny: DenyScope;
  readonly sever: boolean;
  readonly alert: boolean;
  readonly allow: boolean;
  readonly escalate?: { readonly factor: number; readonly maxNs: number };
}

export type Placement = 'kernel' | 'agent' | 'nftables';

export interface Policy {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly summary: string;
  readonly attack: readonly string[];
  readonly severity: Severity;
  /** As written; the weaker of this and the agent's mode holds. */
  readonly mode: Mode | undefined;
  /** 0 to 1000, higher first, ties by name. */
  readonly priority: number;
  readonly on: readonly EventKind[];
  /** Structured match and `when`, in this order, compiled. */
  readonly matches: (event: EventView) => boolean;
  readonly detect: Detect;
  readonly then: Then;
  /** Identity of on + match + detect (16 hexadecimal digits): the same rule keeps windows and blocks. */
  readonly hash: string;
  readonly placement: Placement;
  /** Why it is placed there, in a sentence. */
  readonly why: string;
  /** Set when `placement` is `kernel`. */
  readonly kernelRule?: KernelRule;
  /** What the hook would test instead of `matches`, or a clause that says why it cannot. */
  readonly kernelMatch?: KernelMatch | string;
}

/** The dimensions of a kernel rule that stand for the match of a policy. */
export type KernelMatch = Pick<KernelRule, 'ports' | 'nets' | 'uids' | 'exes' | 'protos'>;

/** Inclusive range. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * A rule as the hook tests it. Each dimension that is absent matches everything; every present one
 * must hold. `not` inverts a dimension as a whole.
 */
export interface KernelRule {
  readonly policy: string;
  readonly hash: string;
  /** Position in the order of evaluation: by priority, then name. */
  readonly order: number;
  readonly on: { readonly connect: boolean; readonly send: boolean };
  /** `allow` ends the evaluation by later rules; `deny` counts and, past the limit, denies. */
  readonly action: 'allow' | 'deny';
  readonly mode: Mode | undefined;
  readonly by: SubjectKind;
  /** 0 to 16; a rule without detector has limit 0: its first match crosses. */
  readonly limit: number;
  readonly withinNs: number;
  readonly forNs: number;
  readonly deny: DenyScope;
  readonly ports?: readonly Range[];
  readonly nets?: { readonly not: boolean; readonly cidrs: readonly string[] };
  readonly uids?: { readonly not: boolean; readonly values: readonly number[] };
  readonly exes?: { readonly not: boolean; readonly paths: readonly string[] };
  readonly protos?: readonly ('tcp' | 'udp')[];
}

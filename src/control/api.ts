/** What the control socket offers; the agent implements it, the server and the commands speak it. */
import type { AllowEntry, Decision, DenyScope, Level, Mode } from '../model/decision.js';
import type { Event, EventKind } from '../model/event.js';
import type { Finding } from '../model/finding.js';

export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** Exactly one of the targets is set. `ip` may carry a prefix length. */
export interface Target {
  readonly pid?: number;
  readonly cgroup?: string;
  readonly unit?: string;
  readonly container?: string;
  readonly ip?: string;
}

export interface BlockRequest extends Target {
  readonly lineage?: boolean;
  readonly forNs: number;
  readonly reason: string;
  readonly deny: DenyScope;
  readonly sever?: boolean;
  readonly freeze?: boolean;
}

export interface UnblockFilter extends Target {
  readonly id?: string;
  readonly policy?: string;
  readonly all?: boolean;
}

/** `degraded` holds why the asked-for enforcement does not fully hold; the command then exits 6. */
export interface BlockResult {
  readonly decision: Decision;
  readonly degraded?: string;
}

export interface AllowRequest extends Target {
  readonly exe?: string;
  readonly uid?: number;
  readonly forNs?: number;
  readonly reason: string;
}

export interface EventFilter {
  readonly kind?: EventKind;
  readonly pid?: number;
  readonly policy?: string;
  /**
   * For a capture: events carry what a replay needs, and a reader that is too slow loses events, which
   * the stream tells as `{"dropped": N}`, instead of the stream.
   */
  readonly capture?: boolean;
}

/** Who takes the events of a stream. */
export interface EventSink {
  event(event: Event): void;
  /** Asked before each event; false: there is no room, and the event goes by. */
  hasRoom(): boolean;
}

/** One row of the kernel's per-process session table. */
export interface SessionRow {
  readonly pid: number;
  readonly start: string;
  readonly comm: string;
  readonly exe: string;
  readonly uid: number;
  readonly session: number | null;
  readonly cgroup: { readonly id: string; readonly path: string };
  readonly first: string;
  readonly last: string;
  readonly ended?: string;
  readonly connects: number;
  readonly sends: number;
  readonly denied: number;
  readonly audited: number;
  readonly auth_tries: number;
  readonly auth_fails: number;
  readonly auth_oks: number;
}

export interface PolicyRow {
  readonly name: string;
  readonly summary: string;
  readonly severity: string;
  readonly mode: Mode;
  readonly on: readonly EventKind[];
  readonly detect: string;
  readonly then: string;
  readonly enforced_by: 'kernel' | 'agent' | 'nftables';
  readonly why: string;
  readonly file: string;
  readonly findings: number;
  readonly hits: number;
}

/** A BPF program of somebody else on a cgroup hook that kerngate uses. */
export interface ForeignProgram {
  readonly cgroup: string;
  /** bpftool's word for where: `connect4`. */
  readonly attach: string;
  readonly program: string;
  readonly id: number;
  readonly how: 'alone' | 'override' | 'multi';
  /** What follows for kerngate. */
  readonly means: string;
  /** True when kerngate could not attach its own program now. */
  readonly blocks: boolean;
}

export interface Status {
  readonly version: string;
  readonly pid: number;
  readonly started: string;
  readonly mode: Mode;
  readonly level: Level;
  readonly scope: string;
  readonly panic: boolean;
  /** When unconfirmed enforcement goes back to audit; absent when nothing waits for `confirm`. */
  readonly confirm_until?: string;
  /** Hooks in force: program name and where it is attached. */
  readonly hooks: readonly { readonly program: string; readonly attached: string }[];
  /** Ways of the self-test that stay open even to who is blocked with `--deny isolate --sever`. */
  readonly open: readonly string[];
  /** The same with the reasons, for people, and what else is open. */
  readonly open_why: readonly string[];
  /** How often verdicts were met since the maps were made, by way. */
  readonly ways: Readonly<Record<string, { readonly denied: number; readonly audited: number }>>;
  readonly policies: number;
  readonly blocks: number;
  /** Events per second over the last ten seconds. */
  readonly rate: number;
  readonly counters: Readonly<Record<string, number>>;
  /** Counters that are missing above, each with the reason why it cannot be read; absent when all are known. */
  readonly unknown?: Readonly<Record<string, string>>;
  /** What does not weaken what was asked for, and is not as one would expect; each with its remedy. */
  readonly notes?: readonly string[];
  readonly degraded: readonly string[];
  /** Programs of others on the hooks of the scope's cgroups; an older agent does not look. */
  readonly foreign?: readonly ForeignProgram[];
  /** What the circuit breaker allows policies, and whether it keeps the agent in audit; an older agent has none. */
  readonly breaker?: {
    readonly state: 'armed' | 'tripped' | 'off';
    readonly blocks: number | 'off';
    readonly within: string;
    readonly units: string;
  };
}

/** Every call may throw KerngateError; its exit code travels to the command. */
export interface ControlApi {
  status(): Status;
  decisions(): Decision[];
  block(request: BlockRequest, peer: Peer): Promise<BlockResult>;
  /** Idempotent; answers what was lifted. An `id` that never existed is not found (exit 3). */
  unblock(filter: UnblockFilter, peer: Peer): Promise<Decision[]>;
  findings(): Finding[];
  sessions(): SessionRow[];
  /** Recent events, oldest first, bounded. */
  events(filter: EventFilter): Event[];
  /** Hands each event to `sink` until the returned function is called. */
  follow(filter: EventFilter, sink: EventSink): () => void;
  allowList(): AllowEntry[];
  allowAdd(request: AllowRequest, peer: Peer): Promise<AllowEntry>;
  /** Answers the removed entries; empty when none matched. */
  allowRemove(target: Target & { exe?: string; uid?: number }, peer: Peer): Promise<AllowEntry[]>;
  /** The entry that spares the target, if any. */
  allowCheck(target: Target & { exe?: string; uid?: number }): AllowEntry | undefined;
  mode(): Mode;
  setMode(mode: Mode, confirmWithinNs: number | undefined, peer: Peer): Promise<Mode>;
  confirm(peer: Peer): Promise<void>;
  panic(peer: Peer): Promise<{ lifted: number }>;
  policies(): PolicyRow[];
  /** Reads the policies anew; a bad one changes nothing and throws with exit code 5. */
  reload(): Promise<PolicyRow[]>;
  /** A client connected: its ancestors are protected by birth from now on. */
  greet(peer: Peer): void;
}

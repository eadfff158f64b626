/** Who may never be blocked: asked last before every decision, and again before one is taken over. */

import { parseCidr } from '../lib/ip.js';
import type { AllowEntry } from '../model/decision.js';
import { parseProcessId, processId, type Subject, subjectKey } from '../model/subject.js';
import { NEVER_SOURCES, netOf, overlap } from './address.js';
import type { AllowList } from './allow-list.js';
import type { HeldAllow } from './state.js';

/** One process protected by birth: the agent, PID 1, an ancestor of the agent or of a client. */
export interface ProtectedProcess {
  readonly pid: number;
  /** 10 ms ticks since boot. */
  readonly startTick: number;
  /** `the agent itself`, `PID 1`, `an ancestor of the shell that ran block`. */
  readonly why: string;
}

export interface AddressFacts {
  readonly gateways: readonly string[];
  readonly resolvers: readonly string[];
  readonly own: readonly string[];
}

/** What the agent knows and this stage must not look up itself. */
export interface HostFacts {
  addresses(): AddressFacts;
  /** Id of the root of the cgroup tree. */
  readonly rootCgroup: string;
  /** Names of protected tasks inside a group. */
  protectedIn(subject: Subject): readonly string[];
  /** Groups a subject is part of (cgroup and its ancestors, unit, user, exe …); an allowed one spares it. */
  groupsOf?(subject: Subject): readonly Subject[];
  /** Why the host needs a process, whoever started it: sshd, a name server. */
  vital?(pid: number, startTick: number): string | undefined;
}

export interface Refusal {
  readonly reason: string;
  readonly entry: AllowEntry;
}

const PROCESS_LIMIT = 4096;
const GROUPS: ReadonlySet<string> = new Set(['cgroup', 'lineage', 'session', 'unit', 'container']);

export class Guardrails {
  readonly #processes = new Map<string, AllowEntry>();
  readonly #host: HostFacts;
  readonly #allow: AllowList;
  #overflow = 0;

  constructor(host: HostFacts, allow: AllowList, processes: readonly ProtectedProcess[] = []) {
    this.#host = host;
    this.#allow = allow;
    for (const process of processes) this.protect(process);
  }

  /** Processes that could not be protected for want of room. */
  get overflow(): number {
    return this.#overflow;
  }

  /** Protects one more process by birth; false when there is no room. Repeating it changes nothing. */
  protect({ pid, startTick, why }: ProtectedProcess): boolean {
    const subject = { kind: 'process', id: processId(pid, startTick), name: `pid ${pid}` } as const;
    const key = subjectKey(subject);
    if (this.#processes.has(key)) return true;
    if (this.#processes.size >= PROCESS_LIMIT) {
      this.#overflow++;
      return false;
    }
    this.#processes.set(key, { subject, reason: why, by: 'birth' });
    return true;
  }

  isProtected(pid: number, startTick: number): boolean {
    return this.#processes.has(subjectKey({ kind: 'process', id: processId(pid, startTick) }));
  }

  /** A protected process has exited, or is nothing special any more. */
  forget(pid: number, startTick: number): void {
    this.#processes.delete(subjectKey({ kind: 'process', id: processId(pid, startTick) }));
  }

  /** Why the subject may not be blocked, or undefined when it may. */
  check(subject: Subject): Refusal | undefined {
    return this.#birth(subject) ?? this.#vital(subject) ?? this.#address(subject) ?? this.#allowed(subject);
  }

  /** Names of the protected tasks in a group that a block of it leaves free; empty for other kinds. */
  spared(subject: Subject): string[] {
    return GROUPS.has(subject.kind) ? [...this.#host.protectedIn(subject)] : [];
  }

  /** Every subject the kernel must let pass whatever is blocked: by birth, then by list. */
  protected(): HeldAllow[] {
    const birth = [...this.#processes.values()].map((entry) => ({
      entry,
      untilNs: Number.POSITIVE_INFINITY,
    }));
    return [...birth, ...this.#allow.held()];
  }

  /** The whole never-block list as people see it. */
  list(): AllowEntry[] {
    return [...this.#processes.values(), ...this.#allow.list()];
  }

  #birth(subject: Subject): Refusal | undefined {
    const entry = this.#processes.get(subjectKey(subject));
    if (entry) return { reason: `${subject.name} is protected: ${entry.reason}`, entry };
    if (subject.kind === 'lineage' && parseProcessId(subject.id)?.pid === 1)
      return born(subject, 'it is the tree of PID 1, which holds every process of the host');
    if (subject.kind !== 'cgroup' || subject.id !== this.#host.rootCgroup) return undefined;
    return born(subject, 'it is the root cgroup, which holds every process of the host');
  }

  /** Asked anew for each decision: it may have been started, or have become what it is, just now. */
  #vital(subject: Subject): Refusal | undefined {
    const at = ['process', 'lineage'].includes(subject.kind) ? parseProcessId(subject.id) : undefined;
    const why = at && this.#host.vital?.(at.pid, at.startTick);
    if (at === undefined || why === undefined) return undefined;
    return born(subject, subject.kind === 'process' ? why : `pid ${at.pid}, its root: ${why}`);
  }

  #address(subject: Subject): Refusal | undefined {
    const net = netOf(subject);
    if (net === undefined) return undefined;
    const facts = this.#host.addresses();
    const rows: [readonly string[], string][] = [
      [facts.gateways, "the host's gateway"],
      [facts.resolvers, "the host's name server"],
    ];
    // A service of this host or on its loopback may well be closed as a destination, but not banned.
    if (subject.kind === 'source') rows.push([facts.own, "the host's own address"]);
    for (const [texts, what] of rows) {
      const hit = texts.find((text) => isIn(text, net));
      if (hit !== undefined) return born(subject, `it covers ${hit}, ${what}`);
    }
    const never = subject.kind === 'source' && NEVER_SOURCES.find((row) => overlap(row.net, net));
    return never ? born(subject, `it covers ${never.net.text}, ${never.what}`) : undefined;
  }

  #allowed(subject: Subject): Refusal | undefined {
    for (const candidate of [subject, ...(this.#host.groupsOf?.(subject) ?? [])]) {
      const entry = this.#allow.check(candidate);
      if (entry) return { reason: allowText(subject, entry), entry };
    }
    return undefined;
  }
}

type Net = NonNullable<ReturnType<typeof netOf>>;

const isIn = (text: string, net: Net): boolean => {
  const address = parseCidr(text);
  return address !== undefined && overlap(address, net);
};

const born = (subject: Subject, why: string): Refusal => ({
  reason: `${subject.name} is protected: ${why}`,
  entry: { subject, reason: why, by: 'birth' },
});

const allowText = (subject: Subject, { subject: listed, reason, by }: AllowEntry): string =>
  `${subject.name} is protected: ${listed.kind} ${listed.name} is on the allow list (${reason}; by ${by})`;

/** Which processes hold the sockets that are open already: for all of them once, and for each block that reaches them. */
import type { KgHolder } from '../abi/generated.js';
import { type Held, type HoldView, holdOlder, holdSubject } from '../enforce/hold.js';
import type { SubjectView } from '../enforce/holders.js';
import { fileIdOf } from '../kernel/executable.js';
import { cgroupIdOf, cgroupOf } from '../lib/cgroup-tree.js';
import { counted } from '../lib/counted.js';
import { processes, startTickOf } from '../lib/proc.js';
import type { LedgerEntry } from '../model/decision.js';
import type { Agent } from './agent.js';
import { offspringOf } from './members.js';
import { isInScope } from './targets.js';

/** The kernel's way to write "none". */
const UNSET = 0xffffffff;

/** True for a block that open sockets are to meet. */
export const reachesOpen = ({ deny, sever }: Pick<LedgerEntry, 'deny' | 'sever'>): boolean =>
  deny !== 'new' || sever === true;

export class Holding {
  readonly counts = { held: 0, held_failed: 0 };
  readonly #agent: Agent;
  readonly #troubles = new Map<string, string>();
  #older: string | undefined;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  /** What was open before the agent began. Never throws. */
  async older(isOver: () => boolean): Promise<void> {
    const { host, scope, maps } = this.#agent;
    const view: HoldView = {
      members: () =>
        new Map(
          processes()
            .filter((pid) => pid !== process.pid && isInScope(pid, scope))
            .flatMap((pid): [number, number][] => {
              const tick = startTickOf(pid);
              return tick === undefined ? [] : [[pid, tick]];
            }),
        ),
      isOffspring: offspringOf(host),
      isOver,
      holder: (pid) => this.#holder(pid),
    };
    const why = this.#count(await told(holdOlder(maps.makers, view)));
    this.#older = why && `Not all sockets older than the agent are known: ${why}`;
  }

  /** What its members hold when a decision comes into force. Answers what does not hold, as a clause. */
  async of({ id, subject }: LedgerEntry, subjectView: SubjectView): Promise<string | undefined> {
    const cgroup = subject.kind === 'cgroup' ? { cgroup: BigInt(subject.id) } : {};
    const view = {
      ...subjectView,
      holder: (pid: number) => {
        const holder = this.#holder(pid);
        return holder && { ...holder, ...cgroup };
      },
    };
    const why = this.#count(await told(holdSubject(this.#agent.maps.makers, view)));
    const trouble = why && `not all its open sockets are known: ${why}`;
    if (trouble === undefined) this.#troubles.delete(id);
    else this.#troubles.set(id, trouble);
    return trouble;
  }

  /** For what is in force. */
  trouble(id: string): string | undefined {
    return this.#troubles.get(id);
  }

  forget(isLive: (id: string) => boolean): void {
    for (const id of this.#troubles.keys()) if (!isLive(id)) this.#troubles.delete(id);
  }

  /** What is worth knowing though no block depends on it. */
  notes(): string[] {
    return this.#older === undefined ? [] : [this.#older];
  }

  #count({ marked, failed, why }: Held): string | undefined {
    this.counts.held += marked;
    this.counts.held_failed += failed;
    const parts = [
      ...(failed === 0 ? [] : [`${counted(failed, 'socket')} took no mark`]),
      ...(why ? [why] : []),
    ];
    return parts.length === 0 ? undefined : parts.join(': ');
  }

  /** As a hook would write it down for a socket the process makes now. */
  #holder(pid: number): KgHolder | undefined {
    const { host, scope } = this.#agent;
    const tick = startTickOf(pid);
    const ids = host.idsOf(pid);
    const path = cgroupOf(pid);
    if (tick === undefined || ids === undefined || path === undefined) return undefined;
    const root = this.#agent.maps.lineage.get({ tgid: pid, tick: BigInt(tick) });
    const exe = fileIdOf(`/proc/${pid}/exe`);
    return {
      tgid: pid,
      tick: BigInt(tick),
      lineage_tgid: root?.tgid ?? 0,
      lineage_tick: root?.tick ?? 0n,
      uid: ids.uid,
      session: ids.session < 0 ? UNSET : ids.session,
      exe_ino: exe?.ino ?? 0n,
      exe_dev: exe?.dev ?? 0,
      cgroup: BigInt(cgroupIdOf(scope.mount, path) ?? 0),
    };
  }
}

const told = (work: Promise<Held>): Promise<Held> =>
  work.catch((error: Error) => ({ marked: 0, failed: 1, why: error.message }));

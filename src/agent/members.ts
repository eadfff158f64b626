/** Who a subject is at this moment: its living processes and cgroups, and whom of them nothing may be taken from. */
import type { Guardrails } from '../decide/guardrails.js';
import type { SubjectView } from '../enforce/holders.js';
import type { Scope } from '../kernel/prerequisites.js';
import { cgroupIdOf, pidsBelow, walkCgroups } from '../lib/cgroup-tree.js';
import { ZERO_ID } from '../lib/hex-id.js';
import { processes, startTickOf } from '../lib/proc.js';
import type { LedgerEntry } from '../model/decision.js';
import { parseProcessId, processId, type Subject } from '../model/subject.js';
import type { Host } from './host.js';
import { isInScope, isPathInScope } from './targets.js';

const GROUPS: ReadonlySet<string> = new Set(['cgroup', 'unit', 'container']);
const CGROUPS_MAX = 65_536;

/** Id of a living process, undefined when it is gone. */
const idOf = (pid: number): string | undefined => {
  const tick = startTickOf(pid);
  return tick === undefined ? undefined : processId(pid, tick);
};

const asProcess = (id: string): Subject => ({ kind: 'process', id, name: id });

const isAlive = (id: string): boolean => {
  const process = parseProcessId(id);
  return process !== undefined && startTickOf(process.pid) === process.startTick;
};

/** Processes of the subject, protected ones included. */
const allMembers = (
  host: Host,
  scope: Scope,
  { subject, rule }: Pick<LedgerEntry, 'subject' | 'rule'>,
): string[] => {
  const { kind, id } = subject;
  const inScope = (one: string): boolean => isInScope(parseProcessId(one)?.pid ?? 0, scope);
  if (GROUPS.has(kind)) {
    const pids = host.pathsOf(subject).flatMap((path) => pidsBelow(scope.mount, path));
    return [...new Set(pids)].flatMap((pid) => idOf(pid) ?? []).filter(inScope);
  }
  const own = isAlive(id) ? [id] : [];
  if (kind === 'process') return own.filter(inScope);
  /* an operator's lineage is a tree; a policy's is what the hooks have written down */
  if (kind === 'lineage' && rule === ZERO_ID) return host.treeOf(id).filter(isAlive).filter(inScope);
  const living = processes().flatMap((pid) => idOf(pid) ?? []);
  const isMember = (one: string): boolean => {
    const process = parseProcessId(one);
    return kind === 'lineage'
      ? process !== undefined && host.lineageOf(process.pid, process.startTick) === id
      : host.isMember({ kind: 'process', id: one, name: one }, subject);
  };
  return [...new Set([...own, ...living.filter(isMember)])].filter(inScope);
};

/** False also for one that is gone. */
export const isProtected = (guardrails: Guardrails, pid: number): boolean => {
  const id = idOf(pid);
  return id !== undefined && guardrails.check(asProcess(id)) !== undefined;
};

/** By birth, and only from those that live. */
export const offspringOf =
  (host: Host): SubjectView['isOffspring'] =>
  (pid, members) =>
    host.tree
      .above(idOf(pid) ?? '0@0')
      .some((id) => members.has(parseProcessId(id)?.pid ?? 0) && isAlive(id));

/** What is to be known of a decision's subject before its open sockets are touched; each answer is of the moment it is asked. */
export const subjectView = (
  host: Host,
  guardrails: Guardrails,
  scope: Scope,
  entry: Pick<LedgerEntry, 'subject' | 'rule'>,
  isOver: () => boolean,
): SubjectView => {
  const isFree = (id: string): boolean => guardrails.check(asProcess(id)) === undefined;
  return {
    members: () =>
      new Map(
        allMembers(host, scope, entry)
          .filter(isFree)
          .flatMap((id) => parseProcessId(id) ?? [])
          .map(({ pid, startTick }) => [pid, startTick]),
      ),
    isProtected: (pid) => isProtected(guardrails, pid),
    isOffspring: offspringOf(host),
    cgroups: () => {
      const ids = new Set<bigint>();
      if (!GROUPS.has(entry.subject.kind)) return ids;
      for (const top of host.pathsOf(entry.subject).filter((path) => isPathInScope(path, scope))) {
        walkCgroups(scope.mount, top, CGROUPS_MAX, (path) => {
          const id = cgroupIdOf(scope.mount, path);
          if (id !== undefined) ids.add(BigInt(id));
        });
      }
      return ids;
    },
    isOver,
    spares: () => allMembers(host, scope, entry).some((id) => !isFree(id)),
  };
};

/** From what an operator typed to the subject it means on this host, now. */
import { normalize } from 'node:path/posix';
import type { Target, UnblockFilter } from '../control/api.js';
import type { LiftFilter } from '../decide/operator.js';
import type { Scope } from '../kernel/prerequisites.js';
import { cgroupIdOf, cgroupOf } from '../lib/cgroup-tree.js';
import { parseCidr } from '../lib/ip.js';
import { readStat } from '../lib/proc.js';
import type { LedgerEntry } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { parseProcessId, processId, type Subject } from '../model/subject.js';

const CONTAINER = /^[0-9a-f]{12,64}$/;
/** Deepest level `kg_meet_cgroups` compares for members further down: KG_DEPTH levels, of which the root is 0. */
const DEPTH_MAX = 31;

/** Path of a cgroup below the mount, given either so or as a path of the file system. */
export const cgroupPath = (path: string, scope: Scope): string => {
  const clean = normalize(`/${path}`).replace(/(.)\/$/, '$1'); /* no `..` leads out of the mount */
  return clean === scope.mount || clean.startsWith(`${scope.mount}/`)
    ? clean.slice(scope.mount.length) || '/'
    : clean;
};

/** Throws KerngateError: notFound when no such process or cgroup is there, usage when it cannot be a name. */
export const subjectOfTarget = (target: Target, scope: Scope, lineage = false): Subject => {
  if (target.pid !== undefined) return processSubject(target.pid, lineage);
  if (target.cgroup !== undefined) return cgroupSubject(cgroupPath(target.cgroup, scope), scope);
  if (target.unit !== undefined) {
    const id = target.unit.includes('.') ? target.unit : `${target.unit}.service`;
    return { kind: 'unit', id, name: id };
  }
  if (target.container !== undefined) return containerSubject(target.container);
  if (target.ip !== undefined) return sourceSubject(target.ip);
  throw new KerngateError('nothing names a target', {
    exit: 'usage',
    remedy: 'Give one of --pid, --cgroup, --unit, --container, --ip.',
  });
};

const processSubject = (pid: number, lineage: boolean): Subject => {
  const stat = readStat(pid);
  if (!stat) {
    throw new KerngateError(`there is no process ${pid}`, {
      exit: 'notFound',
      remedy: 'List processes with: ps -e',
    });
  }
  const id = processId(pid, stat.startTick);
  const name = `${stat.comm} (pid ${pid})`;
  return lineage ? { kind: 'lineage', id, name: `lineage of ${name}` } : { kind: 'process', id, name };
};

const cgroupSubject = (path: string, scope: Scope): Subject => {
  const id = cgroupIdOf(scope.mount, path);
  if (id === undefined) {
    throw new KerngateError(`there is no cgroup ${path} below ${scope.mount}`, {
      exit: 'notFound',
      remedy: 'List cgroups with: systemd-cgls',
    });
  }
  if (path.split('/').length - 1 > DEPTH_MAX) {
    throw new KerngateError(
      `cgroup ${path} lies deeper than ${DEPTH_MAX} levels, which the hooks do not compare`,
      {
        remedy: 'Block one of its ancestors.',
      },
    );
  }
  return { kind: 'cgroup', id, name: path };
};

const containerSubject = (id: string): Subject => {
  if (CONTAINER.test(id)) return { kind: 'container', id, name: id };
  throw new KerngateError(`'${id}' is no container id`, {
    exit: 'usage',
    remedy: 'Give the full id of 64 hexadecimal digits: docker ps --no-trunc',
  });
};

const sourceSubject = (ip: string): Subject => {
  const cidr = parseCidr(ip);
  if (!cidr) {
    throw new KerngateError(`'${ip}' is no address or network`, {
      exit: 'usage',
      remedy: 'Give ADDR or ADDR/LENGTH.',
    });
  }
  const id = cidr.bits === 128 ? cidr.text.replace(/\/\d+$/, '') : cidr.text;
  return { kind: 'source', id, name: id };
};

/** What an operator wants lifted. `known`: the decisions in force. Throws as `subjectOfTarget` does. */
export const liftFilterOf = (
  filter: UnblockFilter,
  known: readonly LedgerEntry[],
  scope: Scope,
): LiftFilter => {
  if (filter.all) return { all: true };
  if (filter.id !== undefined) return { id: filter.id };
  if (filter.policy !== undefined) return { policy: filter.policy };
  if (filter.pid !== undefined) return { subjects: subjectsOfPid(filter.pid, known) };
  return { subjects: [subjectOfTarget(filter, scope)] };
};

/** Also of a process that is gone: its blocks carry its pid. */
const subjectsOfPid = (pid: number, known: readonly LedgerEntry[]): Subject[] => {
  const ids = new Set(known.flatMap(({ subject: { id } }) => (parseProcessId(id)?.pid === pid ? [id] : [])));
  const tick = readStat(pid)?.startTick;
  if (tick !== undefined) ids.add(`${pid}@${tick}`);
  return [...ids].flatMap((id): Subject[] => [
    { kind: 'process', id, name: `pid ${pid}` },
    { kind: 'lineage', id, name: `lineage of pid ${pid}` },
  ]);
};

/** Is a process inside the agent's scope? A deny of one outside it meets no hook. */
export const isInScope = (pid: number, scope: Scope): boolean => {
  const path = cgroupOf(pid);
  return path !== undefined && isPathInScope(path, scope);
};

/** The same of a cgroup, by its path below the mount. */
export const isPathInScope = (path: string, scope: Scope): boolean => {
  const below = cgroupPath(scope.path, scope);
  return below === '/' || path === below || path.startsWith(`${below}/`);
};

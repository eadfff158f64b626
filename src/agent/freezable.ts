/** Which cgroups a freeze of a subject takes, and why some are never frozen. */
import { join } from 'node:path';
import { cgroupIdOf, cgroupOf, pidsBelow } from '../lib/cgroup-tree.js';
import type { Group } from '../lib/freezer.js';
import { readStat } from '../lib/proc.js';
import { KerngateError } from '../model/error.js';
import { parseProcessId, type Subject } from '../model/subject.js';
import type { Agent } from './agent.js';
import { isProtected } from './members.js';
import { isPathInScope } from './targets.js';

const refuse = (why: string, remedy: string): never => {
  throw new KerngateError(`will not freeze ${why}`, { remedy });
};

/** Throws KerngateError naming what stands against it; never answers an empty list. */
export const groupsToFreeze = (agent: Agent, subject: Subject, peerPid: number): Group[] => {
  const paths = parseProcessId(subject.id) ? [ownPath(agent, subject)] : agent.host.pathsOf(subject);
  if (paths.length === 0) {
    refuse(`${subject.kind} ${subject.name}: it has no cgroup now`, 'Name a cgroup, or a unit that runs.');
  }
  return paths.map((path) => {
    checkPath(agent, path, peerPid);
    const { mount } = agent.scope;
    return { path: join(mount, path), id: cgroupIdOf(mount, path) ?? '' };
  });
};

/** A process can only be frozen with its cgroup, so that must be its alone. */
const ownPath = ({ host, scope }: Agent, { kind, id, name }: Subject): string => {
  const pid = parseProcessId(id)?.pid ?? 0;
  const path = cgroupOf(pid) ?? refuse(`${name}: it is gone`, 'List processes with: ps -e');
  const ids = kind === 'lineage' ? host.treeOf(id) : [id];
  const own = new Set(ids.map((one) => parseProcessId(one)?.pid));
  const strangers = pidsBelow(scope.mount, path).filter((one) => !own.has(one));
  if (strangers.length > 0) {
    refuse(
      `${name}: its cgroup ${path} holds ${strangers.length} other processes`,
      `Move it into a cgroup of its own, or freeze them all: kerngate block --cgroup ${path} --freeze`,
    );
  }
  return path;
};

const checkPath = ({ scope, state }: Agent, path: string, peerPid: number): void => {
  if (path === '/') refuse('the root cgroup: it holds every process of the host', 'Name a cgroup below it.');
  if (!isPathInScope(path, scope)) {
    refuse(`cgroup ${path}: it lies outside the agent's scope ${scope.path}`, 'See --cgroup-root.');
  }
  for (const pid of pidsBelow(scope.mount, path)) {
    const isFree = pid !== process.pid && pid !== peerPid && !isProtected(state.guardrails, pid);
    if (isFree) continue;
    refuse(
      `cgroup ${path}: it holds ${readStat(pid)?.comm ?? '?'} (pid ${pid}), which is protected`,
      'Freeze a cgroup below it that holds the offender alone; see kerngate allow list.',
    );
  }
};

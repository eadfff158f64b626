/** What the agent knows of this host: who is part of what, where units run, which addresses matter. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { UnitFacts } from '../decide/breaker.js';
import type { HostFacts } from '../decide/guardrails.js';
import type { HostView } from '../enforce/targets.js';
import type { Maps } from '../kernel/maps.js';
import type { Scope } from '../kernel/prerequisites.js';
import { containerOf, unitOf } from '../lib/cgroup-path.js';
import { cgroupIdOf, cgroupOf, walkCgroups } from '../lib/cgroup-tree.js';
import { auditIds, processes, readExe, readStat } from '../lib/proc.js';
import { parseProcessId, processId, type Subject, subjectKey } from '../model/subject.js';
import { cgroupPath } from './targets.js';
import { Tree } from './tree.js';
import { Vitals } from './vital.js';

const NO_SESSION = -1;
/** Cgroups looked through for a unit; more than any host has. */
const CGROUPS_MAX = 65_536;

export class Host implements HostFacts, HostView, UnitFacts {
  readonly rootCgroup: string;
  readonly #maps: Maps | undefined;
  readonly #mount: string;
  readonly #scope: string;
  readonly #tree: Tree;
  readonly vitals = new Vitals();
  #protectedPids: () => readonly { pid: number; startTick: number }[] = () => [];

  /** Without maps, as in a command after a reboot, no lineage is known. */
  constructor(maps: Maps | undefined, scope: Scope) {
    this.#maps = maps;
    this.#mount = scope.mount;
    this.#scope = cgroupPath(scope.path, scope);
    this.#tree = new Tree(maps);
    this.rootCgroup = cgroupIdOf(scope.mount, '/') ?? '1';
  }

  get tree(): Tree {
    return this.#tree;
  }

  /** Where the protected processes are kept; set once, since guardrails and host need each other. */
  askProtected(protectedPids: () => readonly { pid: number; startTick: number }[]): void {
    this.#protectedPids = protectedPids;
  }

  addresses(): { gateways: string[]; resolvers: string[]; own: string[] } {
    const own = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).map(({ address }) => address),
    );
    return { gateways: gateways(), resolvers: resolvers(), own };
  }

  vital(pid: number, startTick: number): string | undefined {
    return readStat(pid)?.startTick === startTick ? this.vitals.why(pid, startTick) : undefined;
  }

  protectedIn(subject: Subject): string[] {
    const key = subjectKey(subject);
    return this.#protectedPids().flatMap(({ pid, startTick }) => {
      const inside = this.#groupsOfProcess(pid, startTick).some((group) => subjectKey(group) === key);
      return inside ? [`${readStat(pid)?.comm ?? '?'} (pid ${pid})`] : [];
    });
  }

  groupsOf(subject: Subject): Subject[] {
    const process = subject.kind === 'process' ? parseProcessId(subject.id) : undefined;
    return process ? this.#groupsOfProcess(process.pid, process.startTick) : [];
  }

  /** True when `subject` is inside `group`. */
  isMember(subject: Subject, group: Subject): boolean {
    const key = subjectKey(group);
    return this.groupsOf(subject).some((candidate) => subjectKey(candidate) === key);
  }

  cgroupsOf(subject: Subject): string[] {
    const ids: string[] = [];
    const nameOf = subject.kind === 'unit' ? unitOf : containerOf;
    walkCgroups(this.#mount, '/', CGROUPS_MAX, (path) => {
      const id = nameOf(path) === subject.id ? cgroupIdOf(this.#mount, path) : undefined;
      if (id !== undefined) ids.push(id);
    });
    return ids;
  }

  /** Paths of the cgroups a subject of groups consists of, without those below one another. */
  pathsOf(subject: Subject): string[] {
    const found: string[] = [];
    const isIt =
      subject.kind === 'cgroup'
        ? (path: string) => cgroupIdOf(this.#mount, path) === subject.id
        : (path: string) => (subject.kind === 'unit' ? unitOf : containerOf)(path) === subject.id;
    walkCgroups(this.#mount, '/', CGROUPS_MAX, (path) => {
      if (!found.some((above) => path.startsWith(`${above}/`)) && isIt(path)) found.push(path);
    });
    return found;
  }

  /** Units of the scope, whose share the breaker watches. */
  unitCount(): number {
    return this.#unitsBelow(this.#scope).length;
  }

  /** A unit by name, those that lie in a cgroup, and the one a process or the root of a lineage runs in. */
  unitsOf({ kind, id, name }: Subject): string[] {
    if (kind === 'unit') return [id];
    if (kind === 'container') return this.#unitsBelow('/', (path) => containerOf(path) === id);
    const process = kind === 'process' || kind === 'lineage' ? parseProcessId(id) : undefined;
    const path = process ? cgroupOf(process.pid) : kind === 'cgroup' ? name : undefined;
    const unit = path && unitOf(path);
    if (unit) return [unit];
    return kind === 'cgroup' && cgroupIdOf(this.#mount, name) === id ? this.#unitsBelow(name) : [];
  }

  treeOf(id: string): string[] {
    return this.#tree.below(id);
  }

  /** Root of the lineage the kernel has written down for a process. */
  lineageOf(pid: number, startTick: number): string | undefined {
    const root = this.#maps?.lineage.get({ tgid: pid, tick: BigInt(startTick) });
    return root && processId(root.tgid, Number(root.tick));
  }

  /** User and audit session (-1: none) of a living process. */
  idsOf(pid: number): { uid: number; session: number } | undefined {
    const uid = uidOf(pid);
    return uid === undefined ? undefined : { uid: Number(uid), session: auditIds(pid).session };
  }

  #unitsBelow(top: string, isMeant = (_: string): boolean => true): string[] {
    const units = new Set<string>();
    walkCgroups(this.#mount, top, CGROUPS_MAX, (path) => {
      const unit = isMeant(path) ? unitOf(path) : undefined;
      if (unit !== undefined) units.add(unit);
    });
    return [...units];
  }

  /** Everything a living process is part of; empty when it is gone or another one by now. */
  #groupsOfProcess(pid: number, startTick: number): Subject[] {
    if (readStat(pid)?.startTick !== startTick) return [];
    const groups: Subject[] = [];
    const add = (kind: Subject['kind'], id: string | undefined) => {
      if (id !== undefined && id !== '') groups.push({ kind, id, name: id });
    };
    const path = cgroupOf(pid);
    for (const cgroup of path === undefined ? [] : upwards(path))
      add('cgroup', cgroupIdOf(this.#mount, cgroup));
    add('unit', path && unitOf(path));
    add('container', path && containerOf(path));
    const { session } = auditIds(pid);
    if (session !== NO_SESSION) add('session', String(session));
    add('lineage', this.lineageOf(pid, startTick));
    for (const ancestor of this.#tree.above(processId(pid, startTick))) add('lineage', ancestor);
    add('exe', readExe(pid));
    add('user', uidOf(pid));
    return groups;
  }
}

/** `/a/b` and its ancestors. */
const upwards = (path: string): string[] => {
  const parts = path.split('/').filter(Boolean);
  return Array.from(
    { length: parts.length + 1 },
    (_, depth) => `/${parts.slice(0, depth).join('/')}`,
  ).reverse();
};

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const uidOf = (pid: number): string | undefined => /^Uid:\s*(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1];

/** Gateways of both families, from the kernel's own tables. */
const gateways = (): string[] => {
  const v4 = read('/proc/net/route')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t')[2] ?? '')
    .filter((hex) => /^[0-9A-F]{8}$/.test(hex) && hex !== '00000000')
    .map((hex) => [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.'));
  const v6 = read('/proc/net/ipv6_route')
    .split('\n')
    .map((line) => line.split(/\s+/)[4] ?? '')
    .filter((hex) => /^[0-9a-f]{32}$/.test(hex) && !/^0+$/.test(hex))
    .map((hex) => (hex.match(/.{4}/g) ?? []).join(':'));
  return [...new Set([...v4, ...v6])];
};

const resolvers = (): string[] =>
  [...read('/etc/resolv.conf').matchAll(/^\s*nameserver\s+(\S+)/gm)].flatMap((match) => match[1] ?? []);

/** Start tick of every living process by pid. */
export const livingProcesses = (): Map<number, number> =>
  new Map(
    processes().flatMap((pid): [number, number][] => {
      const tick = readStat(pid)?.startTick;
      return tick === undefined ? [] : [[pid, tick]];
    }),
  );

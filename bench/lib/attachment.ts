/** The production object, loaded with a set of rules, attached to a cgroup and taken off again as often as one likes. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { KG_EVENT_WORDS, KG_ROW_WORDS } from '../../src/abi/generated.js';
import { auditEnforcer } from '../../src/enforce/audit.js';
import { kernelEnforcer } from '../../src/enforce/kernel.js';
import type { HostView } from '../../src/enforce/targets.js';
import { PROGRAMS } from '../../src/kernel/links.js';
import { closeMaps, type Maps, mapsOf } from '../../src/kernel/maps.js';
import { type LinkHandle, native, type ObjectHandle, type RingHandle } from '../../src/kernel/native.js';
import { resolveScope } from '../../src/kernel/prerequisites.js';
import { installRules } from '../../src/kernel/rule-bank.js';
import type { WayCount } from '../../src/kernel/ways.js';
import type { DesiredEntry } from '../../src/model/desired.js';
import type { KernelRule } from '../../src/model/policy.js';
import { ROOT } from './build.js';

const CAPACITY = 4096;
/** All that an agent attaches where the cgroup hooks are its source. */
const WANTED = PROGRAMS.filter(({ source, level }) => source === undefined && level === undefined);

/** Nobody it is asked about has children or cgroups besides. */
const HOST: HostView = { cgroupsOf: () => [], treeOf: (id) => [id] };

export class Attachment {
  readonly #object: ObjectHandle;
  readonly #maps: Maps;
  readonly #ring: RingHandle;
  readonly #cgroupFd: number;
  #links: LinkHandle[] = [];

  constructor(cgroup: string, rules: readonly KernelRule[]) {
    const api = native();
    const scope = resolveScope(cgroup);
    const wanted = new Set(WANTED.map(({ name }) => name));
    this.#cgroupFd = openSync(scope.path, 'r');
    this.#object = api.objectOpen(join(ROOT, 'bpf/build/kerngate.bpf.o'));
    for (const program of api.objectPrograms(this.#object))
      api.setAutoload(this.#object, program, wanted.has(program));
    api.objectLoad(this.#object);
    this.#maps = mapsOf(api, (name) => api.objectMapFd(this.#object, name));
    this.#maps.control.set('SCOPE', scope.id);
    this.#maps.control.set('SCOPE_LVL', scope.level);
    this.#maps.control.set('MODE', 1);
    installRules(this.#maps, rules, 'enforce');
    this.#ring = this.#drain();
  }

  attach(): void {
    this.#links = WANTED.map(({ name }) => native().attach(this.#object, name, this.#cgroupFd));
  }

  /** Nothing is pinned, so what is closed is detached. */
  detach(): void {
    for (const link of this.#links.splice(0)) native().linkClose(link);
  }

  /** These verdicts and no others are in force from now on. */
  hold(desired: readonly DesiredEntry[]): void {
    const enforcers = [kernelEnforcer, auditEnforcer];
    const outcomes = enforcers.flatMap((enforcer) => enforcer(this.#maps, HOST).apply(desired));
    const failed = outcomes.find(({ did }) => did === 'failed');
    if (failed) throw new Error(failed.error);
  }

  way(name: string): WayCount {
    return this.#maps.ways.all()[name] ?? { denied: 0, audited: 0 };
  }

  counter(name: Parameters<Maps['counters']['get']>[0]): number {
    return this.#maps.counters.get(name);
  }

  close(): void {
    this.detach();
    native().ringClose(this.#ring);
    closeMaps(this.#maps);
    native().objectClose(this.#object);
    closeSync(this.#cgroupFd);
  }

  /** The reader is part of the cost: whoever fills the ring pays for waking it. */
  #drain(): RingHandle {
    const fds = ['kg_crossings', 'kg_events'].map((map) => native().objectMapFd(this.#object, map));
    const options = {
      words: KG_EVENT_WORDS,
      capacity: CAPACITY,
      rows: new Uint32Array(KG_ROW_WORDS * CAPACITY),
      tail: new Uint8Array(CAPACITY * 512),
      intervalMs: 1,
      idleTicks: 3,
    };
    const ring = native().ringOpen(fds, options, () => {});
    for (const fd of fds) native().closeFd(fd);
    return ring;
  }
}

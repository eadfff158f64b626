/** Notices what somebody took away from what is attached and pinned, and puts it back. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { mountInfo } from '../lib/cgroup-tree.js';
import { explainForeign } from './foreign.js';
import { type Attached, attachProgram, type HookProgram, linkPath, PROGRAMS } from './links.js';
import { loadPrograms } from './load.js';
import { PINNED_MAPS } from './maps.js';
import type { LinkHandle, Native, NativeError, ObjectHandle } from './native.js';
import { checkObjectFile } from './object-file.js';
import { isBpffs, preparePins, type Scope } from './prerequisites.js';

export interface Repair {
  /** What was found, as a sentence. */
  readonly what: string;
  /** Why it could not be put right; absent: it was. */
  readonly error?: string;
}

export interface KeeperOptions {
  readonly native: Native;
  readonly pin: string;
  readonly scope: Scope;
  readonly objectPath?: string;
  /** What is attached on every level; a link that had to be made anew takes the place of the old one. */
  readonly attached: Attached[];
}

const CGROUP = new Set(PROGRAMS.filter(({ attach }) => attach === 'cgroup').map(({ name }) => name));

export class Keeper {
  readonly #options: KeeperOptions;
  /** Descriptors of the pinned maps: they outlive their pins. */
  readonly #maps: ReadonlyMap<string, number>;
  readonly #mount: string | undefined;
  /** Program each link ran when it was first seen. */
  readonly #programs = new WeakMap<LinkHandle, number>();
  #lock: number | undefined;

  constructor(options: KeeperOptions) {
    const { native, pin, attached } = options;
    this.#options = options;
    this.#maps = new Map(PINNED_MAPS.map((name) => [name, native.mapOpen(join(pin, name))]));
    this.#mount = bpffsOf(pin);
    for (const { link } of attached) this.#programs.set(link, native.linkInfo(link).programId);
  }

  /** Looks at everything, `guards` too, and repairs what it can. Empty when nothing was wrong. Never throws. */
  check(guards: readonly Attached[]): Repair[] {
    const { attached, pin } = this.#options;
    const found: (Repair | undefined)[] = [];
    if (!isBpffs(pin)) found.push(repaired('the folder of pins was gone', () => this.#restoreFolder()));
    const maps = [...this.#maps].filter(([name]) => !existsSync(join(pin, name)));
    if (maps.length > 0) {
      const names = maps.map(([name]) => name).join(', ');
      found.push(repaired(`pins of maps were gone (${names})`, () => this.#pinMaps(maps)));
    }
    for (let at = 0; at < attached.length; at++) found.push(this.#checkGate(at));
    const unpinned = [...attached, ...guards].filter(({ pin: path }) => path && !existsSync(path));
    if (unpinned.length > 0) {
      const names = unpinned.map(({ program }) => program).join(', ');
      found.push(repaired(`pins of links were gone (${names})`, () => this.#pinLinks(unpinned)));
    }
    return found.filter((repair) => repair !== undefined);
  }

  close(): void {
    for (const fd of this.#maps.values()) this.#options.native.closeFd(fd);
    if (this.#lock !== undefined) closeSync(this.#lock);
  }

  /** Only links of cgroups can be detached, or given another program, while we hold them. */
  #checkGate(at: number): Repair | undefined {
    const { native, attached, scope } = this.#options;
    const hook = attached[at];
    if (!hook || !CGROUP.has(hook.program)) return undefined;
    const { cgroupId, programId } = native.linkInfo(hook.link);
    if (cgroupId !== scope.id) return repaired(`${hook.program} was detached`, () => this.#renew(at, hook));
    const own = this.#programs.get(hook.link);
    if (own === programId) return undefined;
    return repaired(`the link of ${hook.program} was given another program`, () => this.#reload(hook));
  }

  #renew(at: number, hook: Attached): void {
    const { native, attached, scope } = this.#options;
    const fd = openSync(scope.path, 'r');
    try {
      attached[at] = this.#attachAgain(hook, fd);
    } finally {
      closeSync(fd);
    }
    const { link } = attached[at];
    this.#programs.set(link, native.linkInfo(link).programId);
    if (link !== hook.link) native.linkClose(hook.link);
  }

  /** The very program that ran, at once; or, where an agent may not open it (CAP_SYS_ADMIN), loaded anew. */
  #attachAgain(hook: Attached, cgroupFd: number): Attached {
    const { native, scope, pin } = this.#options;
    const path = linkPath(pin, hook.program);
    rmSync(`${path}_new`, { force: true });
    try {
      native.linkRenew(hook.link, cgroupFd, `${path}_new`);
    } catch (cause) {
      const foreign = explainForeign(native, scope, cause);
      if (foreign || (cause as NativeError).code !== 'EPERM') throw foreign ?? cause;
      return this.#withObject(hook.program, (object, program) =>
        attachProgram({ native, object, pin, cgroupFd, cgroupId: scope.id }, program),
      );
    }
    renameSync(`${path}_new`, path);
    return { ...hook, link: native.linkOpen(path), pin: path };
  }

  #reload({ program, link }: Attached): void {
    const { native } = this.#options;
    this.#withObject(program, (object) => native.linkUpdate(link, object, program));
    this.#programs.set(link, native.linkInfo(link).programId);
  }

  /** Loads one program onto the pinned maps; what is attached by `work` outlives the object. */
  #withObject<T>(name: string, work: (object: ObjectHandle, program: HookProgram) => T): T {
    const { native, pin, objectPath } = this.#options;
    const program = PROGRAMS.find((candidate) => candidate.name === name);
    if (program === undefined) throw new Error(`there is no program ${name}`);
    const object = loadPrograms({ native, pin }, checkObjectFile(objectPath).path, [program]);
    try {
      return work(object, program);
    } finally {
      native.objectClose(object);
    }
  }

  /** The lock on the folder went with the folder: the new one is ours as well, or nothing is put there. */
  #restoreFolder(): void {
    const { native, pin } = this.#options;
    if (this.#mount !== undefined && !isBpffs(this.#mount)) mountAgain(this.#mount);
    preparePins(pin);
    const fd = openSync(pin, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      native.flock(fd, 'exclusive', false);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    if (this.#lock !== undefined) closeSync(this.#lock);
    this.#lock = fd;
  }

  #pinMaps(maps: readonly (readonly [name: string, fd: number])[]): void {
    for (const [name, fd] of maps) this.#options.native.objPin(fd, join(this.#options.pin, name));
  }

  #pinLinks(unpinned: readonly Attached[]): void {
    for (const { link, pin } of unpinned) if (pin !== undefined) this.#options.native.linkPin(link, pin);
  }
}

const repaired = (what: string, work: () => void): Repair => {
  try {
    work();
    return { what };
  } catch (error) {
    return { what, error: (error as Error).message };
  }
};

/** Where the bpffs is mounted that a path lies in. */
const bpffsOf = (path: string): string | undefined =>
  mountInfo()
    .split('\n')
    .filter((line) => / - bpf /.test(line))
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => `${path}/`.startsWith(`${point}/`))
    .sort((a, b) => b.length - a.length)[0];

/** Only where nothing else was mounted meanwhile: somebody meant that. */
const mountAgain = (point: string): void => {
  const isTaken = mountInfo()
    .split('\n')
    .some((line) => line.split(' ')[4] === point);
  if (isTaken) throw new Error(`another file system is mounted at ${point}`);
  execFileSync('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', point], { stdio: 'pipe', timeout: 10_000 });
};

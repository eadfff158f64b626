/** The examination behind `kerngate doctor`: each row is a fact that was tried or read just now. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { foreignPrograms, foreignRemedy, foreignText } from '../kernel/foreign.js';
import { lsmList, openAt, openBeside, openText } from '../kernel/levels.js';
import { pinnedPrograms } from '../kernel/links.js';
import { native } from '../kernel/native.js';
import { checkObjectFile } from '../kernel/object-file.js';
import { requireBtf, requireRoot, resolveScope } from '../kernel/prerequisites.js';
import { tryLevels } from '../kernel/trial.js';
import { cgroup2Mount } from '../lib/cgroup-tree.js';
import type { Paths } from '../lib/paths.js';
import type { Level } from '../model/decision.js';
import type { KerngateError } from '../model/error.js';
import { configOf } from './config.js';
import { PolicyStore } from './policies.js';
import { unseenFiles } from './unseen.js';

export interface Check {
  readonly check: string;
  readonly state: 'ok' | 'missing' | 'note';
  readonly detail: string;
  readonly remedy?: string;
}

/** Throws KerngateError without root: nothing can be tried then. */
export const examine = async (paths: Paths): Promise<Check[]> => {
  requireRoot();
  /* a typing error in a name is no finding about the kernel */
  if (paths.cgroupRoot !== undefined && cgroup2Mount() !== undefined) resolveScope(paths.cgroupRoot);
  return [
    { check: 'kernel', state: 'note', detail: release() },
    attempt('BTF', () => requireBtf(), '/sys/kernel/btf/vmlinux'),
    attempt('BPF object', () => checkObjectFile(), 'layouts fit the agent'),
    attempt(
      'native addon',
      () => native(),
      () => `libbpf ${native().libbpfVersion}`,
    ),
    cgroupCheck(),
    jitCheck(),
    lsmCheck(),
    ...foreignChecks(paths),
    ...(await levelChecks(paths)),
    ...namedChecks(paths),
    nftCheck(),
  ];
};

const attempt = (check: string, work: () => unknown, detail: string | (() => string)): Check => {
  try {
    work();
    return { check, state: 'ok', detail: typeof detail === 'string' ? detail : detail() };
  } catch (error) {
    const { message, remedy } = error as KerngateError;
    return { check, state: 'missing', detail: message, ...(remedy === undefined ? {} : { remedy }) };
  }
};

const cgroupCheck = (): Check => {
  const mount = cgroup2Mount();
  return mount === undefined
    ? {
        check: 'cgroup v2',
        state: 'missing',
        detail: 'no cgroup v2 hierarchy is mounted',
        remedy: 'mount -t cgroup2 none /sys/fs/cgroup/unified',
      }
    : { check: 'cgroup v2', state: 'ok', detail: mount };
};

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

const jitCheck = (): Check => {
  const on = read('/proc/sys/net/core/bpf_jit_enable');
  return on === '0'
    ? {
        check: 'BPF JIT',
        state: 'note',
        detail: 'off: hooks are slower',
        remedy: 'sysctl net.core.bpf_jit_enable=1',
      }
    : { check: 'BPF JIT', state: 'ok', detail: on === '' ? 'unknown' : 'on' };
};

/** A hint only: a level counts when it was tried. */
const lsmCheck = (): Check => {
  const list = lsmList();
  if (list === undefined)
    return { check: 'LSM list', state: 'note', detail: 'unreadable (securityfs is not mounted)' };
  if (list.includes('bpf'))
    return { check: 'LSM list', state: 'note', detail: `${list.join(',')} (with bpf)` };
  return {
    check: 'LSM list',
    state: 'note',
    detail: `${list.join(',')} (without bpf: level lsm attaches, and never runs)`,
    remedy: `For level lsm, boot with lsm=${[...list, 'bpf'].join(',')}`,
  };
};

/** One that would keep kerngate from attaching is a lack; what is pinned is an agent's own. */
const foreignChecks = ({ pin, cgroupRoot }: Paths): Check[] => {
  const check = 'foreign programs';
  try {
    const scope = resolveScope(cgroupRoot);
    const found = foreignPrograms(native(), scope, pinnedPrograms(native(), pin));
    if (found.length === 0)
      return [{ check, state: 'ok', detail: `none on ${scope.path}, above or below it` }];
    return found.map((foreign) =>
      foreign.blocks
        ? { check, state: 'missing', detail: foreignText(foreign), remedy: foreignRemedy(foreign) }
        : { check, state: 'note', detail: foreignText(foreign) },
    );
  } catch (error) {
    return [{ check, state: 'note', detail: `cannot be told: ${(error as Error).message}` }];
  }
};

const openDetail = (level: Level, programs: readonly string[]): string =>
  [...openText(openAt(level, programs)), ...openBeside(level, true)].join('; ') || 'no way that is known';

/** A weaker level than the strongest is no lack; without the weakest there is no enforcement. */
const levelChecks = async ({ pin, cgroupRoot }: Paths): Promise<Check[]> => {
  const trials = await tryLevels(native(), pin, cgroupRoot);
  const held = trials.find(({ holds }) => holds);
  const best = held?.level;
  const rows = trials.map(({ level, holds, detail, remedy }): Check => {
    const check = `level ${level}`;
    if (holds) return { check, state: 'ok', detail };
    if (level !== 'cgroup')
      return { check, state: 'note', detail: `does not hold: ${detail}`, ...(remedy && { remedy }) };
    return { check, state: 'missing', detail, remedy: 'Enforcement does not work here; audit may.' };
  });
  if (best === undefined) return rows;
  return [
    ...rows,
    { check: `open at level ${best}`, state: 'note', detail: openDetail(best, held?.programs ?? []) },
  ];
};

/** Executables the configuration and the policies name; what cannot be read is for `run` to refuse. */
const namedChecks = (paths: Paths): Check[] => {
  try {
    const config = configOf(paths);
    const policies = new PolicyStore(paths).read();
    const allow = config.allow.flatMap(({ subject }) =>
      subject.startsWith('exe:')
        ? [{ subject: { kind: 'exe', id: subject.slice(4), name: subject } as const }]
        : [],
    );
    return unseenFiles({ launchers: config.launchers, policies, allow }).map(
      (row): Check => ({ check: 'executables', state: 'note', ...row }),
    );
  } catch (error) {
    const { message, remedy } = error as KerngateError;
    return [{ check: 'configuration', state: 'missing', detail: message, ...(remedy && { remedy }) }];
  }
};

const nftCheck = (): Check => {
  const path = ['/usr/sbin/nft', '/sbin/nft'].find((candidate) => existsSync(candidate));
  return path === undefined
    ? { check: 'nftables', state: 'note', detail: 'nft is not installed', remedy: 'apt-get install nftables' }
    : {
        check: 'nftables',
        state: 'note',
        detail: `${path}; blocks of remote addresses are not in this version`,
      };
};

/** The examination behind `kerngate doctor`: each row is a fact that was tried or read just now. */
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { openWays } from '../kernel/levels.js';
import { native } from '../kernel/native.js';
import { checkObjectFile } from '../kernel/object-file.js';
import { requireBtf, requireRoot } from '../kernel/prerequisites.js';
import { tryCgroupLevel } from '../kernel/trial.js';
import { cgroup2Mount } from '../lib/cgroup-tree.js';
import type { Paths } from '../lib/paths.js';
import type { KerngateError } from '../model/error.js';

export interface Check {
  readonly check: string;
  readonly state: 'ok' | 'missing' | 'note';
  readonly detail: string;
  readonly remedy?: string;
}

/** Throws KerngateError without root: nothing can be tried then. */
export const examine = async (paths: Paths): Promise<Check[]> => {
  requireRoot();
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
    await levelCheck(paths),
    { check: 'open at level cgroup', state: 'note', detail: openWays('cgroup', true).join('; ') },
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

/** A fact about the kernel only: a level counts when it was tried, and this version has no LSM programs. */
const lsmCheck = (): Check => {
  const list = read('/sys/kernel/security/lsm');
  const has = list.split(',').includes('bpf');
  const detail =
    list === '' ? 'unreadable (securityfs is not mounted)' : `${list} (${has ? 'with' : 'without'} bpf)`;
  return { check: 'LSM list', state: 'note', detail };
};

const levelCheck = async ({ pin, cgroupRoot }: Paths): Promise<Check> => {
  try {
    const { holds, detail } = await tryCgroupLevel(native(), pin, cgroupRoot);
    return holds
      ? { check: 'level cgroup', state: 'ok', detail }
      : {
          check: 'level cgroup',
          state: 'missing',
          detail,
          remedy: 'Enforcement does not work here; audit may.',
        };
  } catch (error) {
    return { check: 'level cgroup', state: 'missing', detail: (error as Error).message };
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

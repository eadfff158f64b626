/** Why a kernel refuses the programs of a stronger level, as far as its own configuration tells. A hint, no proof. */
import { readFileSync } from 'node:fs';
import { arch, release } from 'node:os';
import { gunzipSync } from 'node:zlib';
import type { GuardLevel } from './guard.js';

export interface Kernel {
  /** As Node names it. */
  readonly arch: string;
  /** Text of its configuration; undefined when it cannot be read. */
  readonly config: string | undefined;
}

export interface Lack {
  readonly why: string;
  readonly remedy: string;
}

/** Machines whose kernels can put a program in front of a function. */
const WITH_TRAMPOLINES = new Set(['x64', 'arm64', 's390x', 'riscv64', 'ppc64', 'loong64']);

const ENTRY = ['CONFIG_FUNCTION_TRACER', 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS'];
const NEEDS: Readonly<Record<GuardLevel, readonly string[]>> = {
  lsm: ['CONFIG_BPF_LSM', ...ENTRY],
  fmod_ret: ENTRY,
};

/** What the running kernel says of itself. */
export const runningKernel = (): Kernel => ({ arch: arch(), config: readConfig() });

const readConfig = (): string | undefined => {
  for (const path of ['/proc/config.gz', `/boot/config-${release()}`]) {
    try {
      const bytes = readFileSync(path);
      return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
    } catch {
      /* not built in, or not installed */
    }
  }
  return undefined;
};

/** The likeliest reason why the kernel refused to load or attach a guard of `level`, and what helps. */
export const lackOf = (level: GuardLevel, { arch, config }: Kernel): Lack => {
  const other = 'Level cgroup needs none of it.';
  if (!WITH_TRAMPOLINES.has(arch)) {
    return { why: `kernels for ${arch} cannot put a program in front of a function`, remedy: other };
  }
  const missing = NEEDS[level].filter((name) => config !== undefined && !config.includes(`${name}=y\n`));
  if (missing.length > 0) {
    return {
      why: `this kernel was built without ${missing.join(' and ')}`,
      remedy: `Boot a kernel with ${missing.map((name) => `${name}=y`).join(', ')}. ${other}`,
    };
  }
  const names = NEEDS[level].join(', ');
  if (config === undefined) {
    return {
      why: `it was probably built without one of ${names}`,
      remedy: `Boot a kernel that has them; this one does not show its configuration. ${other}`,
    };
  }
  return {
    why: `it has ${names}, so its BPF policy (lockdown, a security module, a patched kernel) is the likely reason`,
    remedy: `See dmesg and /sys/kernel/security/lockdown, or boot the distribution's own kernel. ${other}`,
  };
};

/** What the kernel and the host must offer before anything is loaded; each lack has its own message. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { cgroup2Mount } from '../lib/cgroup-tree.js';
import { KerngateError } from '../model/error.js';

const BPFFS_MAGIC = 0xcafe4a11;
const CGROUP2_MAGIC = 0x63677270;
export const BTF_PATH = '/sys/kernel/btf/vmlinux';

export const requireRoot = (): void => {
  if (process.geteuid?.() === 0) return;
  throw new KerngateError('this needs root: kerngate loads BPF programs and attaches them to cgroups', {
    remedy: 'Run it as root, for example with sudo.',
  });
};

/** `path` is a parameter for tests only. */
export const requireBtf = (path: string = BTF_PATH): void => {
  if (existsSync(path)) return;
  throw new KerngateError(
    `${path}: this kernel has no BTF type information, which the BPF programs are fitted to`,
    {
      remedy: 'Boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (Debian 11 and later have it).',
    },
  );
};

const isType = (path: string, magic: number): boolean => {
  try {
    return statfsSync(path).type === magic;
  } catch {
    return false;
  }
};

export const isBpffs = (path: string): boolean => isType(path, BPFFS_MAGIC);

export interface Scope {
  readonly path: string;
  readonly id: bigint;
  /** Levels below the root of the hierarchy. */
  readonly level: number;
  readonly mount: string;
}

/** Without links and `..`; as given when there is no such folder. */
const realPath = (path: string): string => {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
};

/** The subtree the agent is limited to. Throws KerngateError when it is no cgroup v2 folder. */
export const resolveScope = (path: string | undefined): Scope => {
  const mount = cgroup2Mount();
  if (mount === undefined) {
    throw new KerngateError('no cgroup v2 hierarchy is mounted', {
      remedy: 'Mount one: mount -t cgroup2 none /sys/fs/cgroup/unified',
    });
  }
  const root = realPath(path ?? mount);
  /* its level is counted from the mount: a way round by a link, `..` or another mount has another one */
  if (!isType(root, CGROUP2_MAGIC) || !`${root}/`.startsWith(`${mount}/`)) {
    throw new KerngateError(`${root}: not a folder of the cgroup v2 hierarchy mounted at ${mount}`, {
      remedy: `Make it with: mkdir ${root.startsWith(mount) ? root : `${mount}/NAME`}`,
      exit: 'usage',
    });
  }
  const below = root === mount ? [] : root.slice(mount.length).split('/').filter(Boolean);
  return { path: root, id: statSync(root, { bigint: true }).ino, level: below.length, mount };
};

/** Makes the folder for pins; mounts bpffs at its usual place when nobody did. */
export const preparePins = (pin: string): void => {
  if (pin.startsWith('/sys/fs/bpf/') && !isType('/sys/fs/bpf', BPFFS_MAGIC)) mountBpffs('/sys/fs/bpf');
  const parent = nearestExisting(dirname(pin));
  if (!isType(parent, BPFFS_MAGIC)) {
    throw new KerngateError(`${pin}: pins need a BPF file system, ${parent} is none`, {
      remedy: `Mount one: mount -t bpf bpf ${dirname(pin)}`,
    });
  }
  mkdirSync(`${pin}/links`, { recursive: true, mode: 0o700 });
};

const mountBpffs = (path: string): void => {
  try {
    execFileSync('mount', ['-t', 'bpf', 'bpf', path], { stdio: 'pipe', timeout: 10_000 });
  } catch (cause) {
    throw new KerngateError(`${path}: cannot mount the BPF file system: ${(cause as Error).message.trim()}`, {
      remedy: `Mount it: mount -t bpf bpf ${path}`,
      cause,
    });
  }
};

const nearestExisting = (path: string): string => {
  let at = path;
  while (!existsSync(at) && at !== '/') at = dirname(at);
  return at;
};

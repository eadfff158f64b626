/** Resolves every path kerngate uses: flag over environment over default. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mountInfo, parseCgroup2Mount } from './cgroup-tree.js';

/** Paths as flags gave them. */
export interface PathFlags {
  readonly config?: string | undefined;
  readonly policy?: readonly string[] | undefined;
  readonly state?: string | undefined;
  readonly socket?: string | undefined;
  readonly pin?: string | undefined;
  readonly cgroupRoot?: string | undefined;
}

/** Where a path came from. What a person named, and a clone, may belong to the clone's owner; `system` may not. */
export type PathSource = 'flag' | 'environment' | 'clone' | 'system';

export interface Paths {
  readonly config: string;
  readonly configFrom: PathSource;
  /** Files and folders, weakest first; read them through `policyFiles`. */
  readonly policies: readonly string[];
  readonly policiesFrom: PathSource;
  readonly state: string;
  readonly socket: string;
  /** Folder of pinned maps and links. */
  readonly pin: string;
  readonly auditLog: string;
  /** Undefined when nothing names one and the host has no cgroup v2 mount. */
  readonly cgroupRoot: string | undefined;
  readonly nftTable: string;
}

/** What of the host decides about defaults; given by tests, read otherwise. */
export interface PathHost {
  readonly packageRoot: string;
  readonly etc: string;
  readonly mountInfo: () => string;
}

/** Root of the package, from `src/lib` as from `dist/lib`; no slash at its end. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const VENDOR_POLICIES = '/usr/share/kerngate/policies';

const HOST: PathHost = { packageRoot: PACKAGE_ROOT, etc: '/etc/kerngate', mountInfo };

const defaultPolicies = (host: PathHost): { paths: string[]; from: PathSource } => {
  const own = join(host.etc, 'policies.d');
  const clone = join(host.packageRoot, 'policies');
  if (!existsSync(own) && existsSync(clone)) return { paths: [clone], from: 'clone' };
  return { paths: [VENDOR_POLICIES, own], from: 'system' };
};

const resolvePolicies = (
  flags: PathFlags,
  env: NodeJS.ProcessEnv,
  host: PathHost,
): { paths: string[]; from: PathSource } => {
  const absolute = (paths: readonly string[]) => paths.map((path) => resolve(path));
  if (flags.policy?.length) return { paths: absolute(flags.policy), from: 'flag' };
  const named = (env.KERNGATE_POLICIES ?? '').split(':').filter((path) => path !== '');
  return named.length > 0 ? { paths: absolute(named), from: 'environment' } : defaultPolicies(host);
};

/** First of flag, environment, default that is set; empty text counts as unset. */
const pick = (flag: string | undefined, env: string | undefined, fallback: string): string =>
  resolve(flag || env || fallback);

const sourceOf = (flag: string | undefined, env: string | undefined): PathSource => {
  if (flag) return 'flag';
  return env ? 'environment' : 'system';
};

/** Audit log: `KERNGATE_LOG`, else beside a state folder that was moved, else the system's. */
const auditLogPath = (flags: PathFlags, env: NodeJS.ProcessEnv, state: string): string => {
  const moved = Boolean(flags.state || env.KERNGATE_STATE);
  return pick(
    undefined,
    env.KERNGATE_LOG,
    moved ? join(state, 'audit.jsonl') : '/var/log/kerngate/audit.jsonl',
  );
};

/** All paths, absolute. Reads only the environment, the mount table and whether folders exist; never throws. */
export const resolvePaths = (flags: PathFlags = {}, env = process.env, host = HOST): Paths => {
  const state = pick(flags.state, env.KERNGATE_STATE, '/var/lib/kerngate');
  const policies = resolvePolicies(flags, env, host);
  const cgroupRoot = flags.cgroupRoot || env.KERNGATE_CGROUP_ROOT || parseCgroup2Mount(host.mountInfo());
  return {
    config: pick(flags.config, env.KERNGATE_CONFIG, join(host.etc, 'kerngate.yaml')),
    configFrom: sourceOf(flags.config, env.KERNGATE_CONFIG),
    policies: policies.paths,
    policiesFrom: policies.from,
    state,
    socket: pick(flags.socket, env.KERNGATE_SOCKET, '/run/kerngate/kerngate.sock'),
    pin: pick(flags.pin, env.KERNGATE_PIN, '/sys/fs/bpf/kerngate'),
    auditLog: auditLogPath(flags, env, state),
    cgroupRoot: cgroupRoot === undefined ? undefined : resolve(cgroupRoot),
    nftTable: env.KERNGATE_NFT_TABLE || 'kerngate',
  };
};

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** True for a file of blank lines and comments: in /etc it only switches the shipped one off. */
const isBlank = (path: string): boolean => {
  if (statSync(path).size > 65_536) return false;
  return readFileSync(path, 'utf8')
    .split('\n')
    .every((line) => /^\s*(?:#.*|---)?\s*$/.test(line));
};

/** `*.yaml` of a folder, not of its subfolders; hidden files are editors' own. */
const yamlFiles = (folder: string): string[] =>
  readdirSync(folder).filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));

/**
 * The policy files to read, now. What was named is returned as it is, for the loader to judge; of the
 * system's folders a file in /etc hides the shipped one of the same name, and a blank one is left out.
 * May throw the system's errors when a folder cannot be read.
 */
export const policyFiles = (paths: Pick<Paths, 'policies' | 'policiesFrom'>): string[] => {
  if (paths.policiesFrom !== 'system') return [...paths.policies];
  const byName = new Map<string, string>();
  for (const folder of paths.policies.filter(isFolder)) {
    for (const name of yamlFiles(folder)) byName.set(name, join(folder, name));
  }
  const files = [...byName.keys()].sort().flatMap((name) => byName.get(name) ?? []);
  return files.filter((file) => !isBlank(file));
};

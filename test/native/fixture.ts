/** Builds the addon tests' BPF object, and gives them cgroups, pin paths and processes that connect. */
import { execFile, execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { native } from '../../src/kernel/native.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const addonPath = join(root, 'native/build/Release/kerngate.node');
export const api = native();

/** A folder of the test file's own; remove it with `drop`. */
export const tempFolder = () => {
  const path = mkdtempSync(join(tmpdir(), 'kerngate-native-'));
  return { path, drop: () => rmSync(path, { recursive: true, force: true }) };
};

/** Compiles fixture.bpf.c, with `defines` added, into `folder`; returns the object's path. */
export const compile = (folder: string, name = 'fixture', edit = (source: string) => source): string => {
  const source = edit(readFileSync(join(root, 'test/native/fixture.bpf.c'), 'utf8'));
  const object = join(folder, `${name}.bpf.o`);
  const machine = execFileSync('uname', ['-m'], { encoding: 'utf8' }).trim();
  const include = ['native/vendor/include', 'native/vendor/libbpf/include/uapi'].map(
    (path) => `-I${join(root, path)}`,
  );
  const flags = ['-g', '-O2', '-target', 'bpf', '-mcpu=v3', ...include, '-idirafter'];
  const input = ['-x', 'c', '-c', '-', '-o', object];
  execFileSync('clang', [...flags, `/usr/include/${machine}-linux-gnu`, ...input], { input: source });
  return object;
};

const cgroupMount = (): string => {
  const line = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((mount) => mount.split(' ')[2] === 'cgroup2');
  const path = process.env.KERNGATE_TEST_CGROUP ?? line?.split(' ')[1];
  if (path === undefined) throw new Error('no cgroup v2 mounted: run these tests with npm test -- kernel');
  return path;
};

/** A path for pins in the lane's own bpffs. */
export const pinPath = (name: string): string => {
  const folder = process.env.KERNGATE_TEST_BPFFS;
  if (folder === undefined) throw new Error('KERNGATE_TEST_BPFFS is not set: run with npm test -- kernel');
  return join(folder, `${name}-${process.pid}`);
};

/** A cgroup of the test's own, and an open descriptor of it. */
export const makeCgroup = (name: string) => {
  const path = join(cgroupMount(), `kerngate-test-${name}-${process.pid}`);
  mkdirSync(path);
  const fd = openSync(path, 'r');
  return {
    path,
    fd,
    drop: () => {
      closeSync(fd);
      rmdirSync(path);
    },
  };
};

/** A process inside the cgroup connects once to a closed port; resolves to what it was told. */
export const connectFrom = (cgroup: string): Promise<string> =>
  new Promise((resolve) => {
    const script = 'echo $$ >"$1"/cgroup.procs && exec 3<>/dev/tcp/127.0.0.1/1';
    execFile('bash', ['-c', script, 'bash', cgroup], { env: { LC_ALL: 'C' } }, (_error, _out, text) => {
      resolve(/Operation not permitted/.test(text) ? 'EPERM' : /refused/.test(text) ? 'ECONNREFUSED' : text);
    });
  });

/** Runs a script file (CommonJS) beside the test, in a process of its own, with the addon's path and `args`. */
export const runFile = (file: string, ...args: string[]): Promise<{ code: number | string; out: string }> =>
  runUnder(['env'], file, ...args);

/** The same, started by another command. */
export const runUnder = (
  [command, ...words]: readonly [string, ...string[]],
  file: string,
  ...args: string[]
): Promise<{ code: number | string; out: string }> =>
  new Promise((resolve) => {
    const path = join(root, 'test/native', file);
    const all = [...words, process.execPath, '--expose-gc', path, addonPath, ...args];
    execFile(command, all, (error, out, err) => {
      resolve({ code: error === null ? 0 : (error.signal ?? error.code ?? 'unknown'), out: out + err });
    });
  });

/** 32- and 64-bit words as bytes. */
export const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
export const u64 = (...values: number[]) => new Uint8Array(BigUint64Array.from(values.map(BigInt)).buffer);

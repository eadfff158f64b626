/** Compiles what a bench needs in C: BPF objects, addons, programs. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const VENDOR = join(ROOT, 'native/vendor');
const MACHINE = arch() === 'arm64' ? 'aarch64' : 'x86_64';

const outOf = (source: string, folder: string, ending: string): string =>
  join(folder, basename(source).replace(/(\.bpf)?\.c$/, ending));

/** The object made of a BPF source, in `folder`. */
export const bpfObject = (source: string, folder: string): string => {
  const object = outOf(source, folder, '.bpf.o');
  const flags = [
    '-g',
    '-O2',
    '-target',
    'bpf',
    '-mcpu=v3',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Wno-unused-parameter',
  ];
  const include = [`-I${join(ROOT, 'bpf')}`, `-I${join(VENDOR, 'include')}`];
  const system = ['-idirafter', `/usr/include/${MACHINE}-linux-gnu`];
  execFileSync('clang', [...flags, ...include, ...system, '-c', source, '-o', object], { stdio: 'inherit' });
  return object;
};

/** Where the set-up found Node's headers when it built our own addon. */
const nodeHeaders = (): string => {
  const config = readFileSync(join(ROOT, 'native/build/config.gypi'), 'utf8');
  const [, folder] = /"nodedir": "([^"]+)"/.exec(config) ?? [];
  if (folder === undefined)
    throw new Error('native/build/config.gypi does not say where the headers of Node are');
  return join(folder, 'include/node');
};

/** The addon made of a C source, in `folder`, with the same libbpf as our own. */
export const addon = (source: string, folder: string): string => {
  const library = outOf(source, folder, '.node');
  const flags = ['-O3', '-shared', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror'];
  const include = [
    nodeHeaders(),
    join(VENDOR, 'include'),
    join(VENDOR, 'libbpf/include/uapi'),
    join(ROOT, 'bpf'),
  ];
  const link = [join(VENDOR, 'lib/libbpf.a'), '-lelf', '-lz', '-Wl,--exclude-libs,ALL'];
  execFileSync('cc', [...flags, ...include.map((path) => `-I${path}`), '-o', library, source, ...link], {
    stdio: 'inherit',
  });
  return library;
};

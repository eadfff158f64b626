/** A start that cannot work: the place and the remedy are named, the exit code fits, and nothing is left behind. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { elfSection } from '../../src/abi/elf.js';
import { OBJECT_PATH } from '../../src/kernel/object-file.js';
import { PACKAGE_ROOT } from '../../src/lib/paths.js';
import { burst, type Ran, type Stand, withStand } from './stand.js';

const MAIN = join(PACKAGE_ROOT, 'dist/main.js');

/** Runs the agent in a mount namespace of its own, after `setup` has changed what it sees. */
const runBehind = async (stand: Stand, setup: string): Promise<Ran> => {
  writeFileSync(stand.policyFile, burst());
  const script = `${setup} && exec "$0" "$1" run --policy "$2"`;
  const words = ['-m', '--propagation', 'private', 'sh', '-ec', script];
  return ended(stand, 'unshare', [...words, process.execPath, MAIN, stand.policyFile]);
};

const ended = async (stand: Stand, command: string, args: readonly string[]): Promise<Ran> => {
  const running = stand.spawn(command, args);
  await new Promise((resolve) => running.child.once('close', resolve));
  return { code: running.child.exitCode ?? -1, stdout: '', stderr: running.lines.join('\n') };
};

const expectRefusal = (
  stand: Stand,
  { code, stdout, stderr }: Ran,
  exit: number,
  ...messages: (string | RegExp)[]
) => {
  expect({ code, stderr }).toEqual({ code: exit, stderr: expect.stringMatching(/^kerngate: /) });
  for (const message of messages) expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ {4}at /m);
  expect(stdout).not.toMatch(/^ready/m);
  expect([stand.pin, stand.state].filter((path) => existsSync(path))).toEqual([]);
  expect(readdirSync(stand.cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory())).toEqual(
    [],
  );
};

describe('policies and configuration', () => {
  const policies: readonly [string, string, RegExp][] = [
    ['broken', 'kerngate: 1\npolicy: [\n', /policy\.yaml:\d+:\d+: YAML: /],
    [
      'with an unknown key',
      burst({ extra: 'mtach: {}\n' }),
      /policy\.yaml:6:1: unknown key 'mtach' \(did you mean 'match'\?\)/,
    ],
    ['that asks for a reach there is none of', `${burst()}  deny: everything\n`, /policy\.yaml:11:9: /],
  ];
  it.each(policies)('a policy %s', (_, policy, message) =>
    withStand(async (stand) => {
      writeFileSync(stand.policyFile, policy);
      expectRefusal(stand, await stand.cli('run', '--policy', stand.policyFile), 5, message, /policy check/);
    }),
  );

  it('a policy that is not there, or that others may write', () =>
    withStand(async (stand) => {
      const run = () => stand.cli('run', '--policy', stand.policyFile);
      expectRefusal(stand, await run(), 5, /policy\.yaml:1:1: there is no such file or folder/);
      writeFileSync(stand.policyFile, burst());
      chmodSync(stand.policyFile, 0o666);
      expectRefusal(
        stand,
        await run(),
        5,
        /policy\.yaml:1:1: this file can be written by others \(mode 0666\)/,
      );
    }));

  it('a configuration with an unknown key', () =>
    withStand(async (stand) => {
      const file = join(stand.dir, 'kerngate.yaml');
      writeFileSync(file, 'mode: audit\ntelemetry:\n  conect: auto\n');
      const ran = await stand.cli('run', '--config', file);
      expectRefusal(
        stand,
        ran,
        5,
        `${file}:3:3: unknown key 'conect' (did you mean 'connect'?)`,
        /nothing was changed/,
      );
    }));
});

describe('the BPF object', () => {
  /** Runs with `bytes` in place of the object; without them, with none. */
  const runWith = (stand: Stand, bytes: Uint8Array | undefined): Promise<Ran> => {
    const folder = join(stand.dir, 'build');
    mkdirSync(folder);
    if (bytes) writeFileSync(join(folder, 'kerngate.bpf.o'), bytes);
    return runBehind(stand, `mount --bind ${folder} ${join(PACKAGE_ROOT, 'bpf/build')}`);
  };
  const object = (): Buffer => readFileSync(OBJECT_PATH);

  it('of another ABI', () =>
    withStand(async (stand) => {
      const bytes = object();
      const name = bytes.indexOf('\0touched_ns\0');
      expect(name).toBeGreaterThan(0);
      bytes.write('tuoched_ns', name + 1);
      expectRefusal(stand, await runWith(stand, bytes), 1, /BPF object of another ABI/, /npm run setup/);
    }));

  it.each([0, 100, 5000])('cut at %i bytes', (length) =>
    withStand(async (stand) => {
      const ran = await runWith(stand, object().subarray(0, length));
      expectRefusal(stand, ran, 1, /kerngate\.bpf\.o: not a BPF object of kerngate/, /npm run setup/);
    }),
  );

  it('missing', () =>
    withStand(async (stand) => {
      expectRefusal(stand, await runWith(stand, undefined), 1, /cannot read the BPF object/, /npm run setup/);
    }));

  it('refused by the verifier, with the end of its log', () =>
    withStand(async (stand) => {
      const bytes = object();
      /* r0 = r9: nobody has written r9 yet */
      elfSection(bytes, 'cgroup/connect4')?.set([0xbf, 0x90, 0, 0, 0, 0, 0, 0]);
      const ran = await runWith(stand, bytes);
      expectRefusal(stand, ran, 1, /the kernel refused it/, /R9 !read_ok/, /kerngate doctor/);
    }));
});

describe('the host', () => {
  it('without BTF', () =>
    withStand(async (stand) => {
      const ran = await runBehind(stand, 'mount -t tmpfs none /sys/kernel/btf');
      expectRefusal(stand, ran, 1, '/sys/kernel/btf/vmlinux', /CONFIG_DEBUG_INFO_BTF=y/);
    }));

  it('without cgroup v2', () =>
    withStand(async (stand) => {
      const ran = await runBehind(stand, 'umount -a -t cgroup2');
      expectRefusal(stand, ran, 1, /no cgroup v2 hierarchy is mounted/, /mount -t cgroup2/);
    }));
});

describe('paths', () => {
  const run = (stand: Stand, ...args: string[]): Promise<Ran> => {
    writeFileSync(stand.policyFile, burst());
    return stand.cli('run', '--policy', stand.policyFile, ...args);
  };

  it.each(['/tmp', '/nowhere/at/all'])('a scope that is no cgroup: %s', (path) =>
    withStand(async (stand) => {
      const ran = await run(stand, '--cgroup-root', path);
      expectRefusal(stand, ran, 2, `${path}: not a folder of the cgroup v2 hierarchy`, /mkdir/);
    }),
  );

  it('a scope that is none, for doctor', () =>
    withStand(async (stand) => {
      const path = join(stand.cgroup, 'nowhere');
      const env = ['env', `KERNGATE_CGROUP_ROOT=${path}`, process.execPath, MAIN] as const;
      const ran = await ended(stand, env[0], [...env.slice(1), 'doctor']);
      expectRefusal(stand, ran, 2, `${path}: not a folder of the cgroup v2 hierarchy`, `mkdir ${path}`);
    }));

  it('a refused start takes away what it made, and nothing that was there', () =>
    withStand(async (stand) => {
      const state = join(stand.dir, 'deep/er/state');
      const bad = ['--socket', '/proc/1/kerngate.sock', '--state', state] as const;
      expectRefusal(stand, await run(stand, ...bad), 1, /cannot listen/);
      expect(existsSync(join(stand.dir, 'deep'))).toBe(false);
      mkdirSync(state, { recursive: true, mode: 0o700 });
      writeFileSync(join(state, 'rules.json'), '{}', { mode: 0o600 });
      writeFileSync(join(state, 'strange'), '');
      expectRefusal(stand, await run(stand, ...bad), 1, /cannot listen/);
      expect(readdirSync(state).sort()).toEqual(['rules.json', 'strange']);
    }));

  it('pins outside a BPF file system', () =>
    withStand(async (stand) => {
      const pin = join(stand.dir, 'pins');
      mkdirSync(pin);
      writeFileSync(join(pin, 'precious'), '');
      expectRefusal(
        stand,
        await run(stand, '--pin', pin),
        1,
        `${pin}: pins need a BPF file system`,
        /mount -t bpf/,
      );
      expect(readdirSync(pin)).toEqual(['precious']);
    }));

  it('a state folder that cannot be written', () =>
    withStand(async (stand) => {
      for (const state of ['/proc/1/kerngate', join(stand.policyFile, 'state')]) {
        expectRefusal(
          stand,
          await run(stand, '--state', state),
          1,
          `${state}: cannot keep state there`,
          /--state/,
        );
      }
    }));

  it('a socket that cannot be made', () =>
    withStand(async (stand) => {
      const ran = await run(stand, '--socket', '/proc/1/kerngate.sock');
      expectRefusal(stand, ran, 1, /cannot listen on \/proc\/1\/kerngate\.sock/, /--socket/);
    }));

  it('leaves in the folder of pins what is not its own', () =>
    withStand(async (stand) => {
      mkdirSync(join(stand.pin, 'strangers'), { recursive: true });
      const { code } = await run(stand, '--socket', '/proc/1/kerngate.sock');
      expect({ code, left: readdirSync(stand.pin) }).toEqual({ code: 1, left: ['strangers'] });
    }));
});

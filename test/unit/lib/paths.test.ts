/** Flag over environment over default, for every path. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PACKAGE_ROOT, policyFiles, resolvePaths } from '../../../src/lib/paths.js';

const scratch = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kg-paths-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const host = (folder: string) => ({
  packageRoot: join(folder, 'clone'),
  etc: join(folder, 'etc'),
  mountInfo: () => '',
});
const installed = { packageRoot: '/nowhere', etc: '/etc/kerngate', mountInfo: () => '' };

const MOUNTS = [
  '24 1 0:22 / / rw - ext4 /dev/vda rw',
  '30 24 0:26 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory',
  '31 24 0:27 /sub /mnt/part rw - cgroup2 cgroup2 rw',
  '32 24 0:27 / /sys/fs/cgroup/with\\040space rw shared:4 master:1 - cgroup2 cgroup2 rw',
].join('\n');

describe('resolvePaths', () => {
  it('has the documented defaults', () => {
    expect(resolvePaths({}, {}, installed)).toEqual({
      config: '/etc/kerngate/kerngate.yaml',
      configFrom: 'system',
      policies: ['/usr/share/kerngate/policies', '/etc/kerngate/policies.d'],
      policiesFrom: 'system',
      state: '/var/lib/kerngate',
      socket: '/run/kerngate/kerngate.sock',
      pin: '/sys/fs/bpf/kerngate',
      auditLog: '/var/log/kerngate/audit.jsonl',
      cgroupRoot: undefined,
      nftTable: 'kerngate',
    });
  });

  it('takes each from the environment', () => {
    const env = {
      KERNGATE_CONFIG: '/e/config',
      KERNGATE_POLICIES: '/e/a:/e/b',
      KERNGATE_STATE: '/e/state',
      KERNGATE_SOCKET: '/e/socket',
      KERNGATE_PIN: '/e/pin',
      KERNGATE_LOG: '/e/log',
      KERNGATE_CGROUP_ROOT: '/e/cgroup',
      KERNGATE_NFT_TABLE: 'other',
    };
    expect(resolvePaths({}, env, installed)).toEqual({
      config: '/e/config',
      configFrom: 'environment',
      policies: ['/e/a', '/e/b'],
      policiesFrom: 'environment',
      state: '/e/state',
      socket: '/e/socket',
      pin: '/e/pin',
      auditLog: '/e/log',
      cgroupRoot: '/e/cgroup',
      nftTable: 'other',
    });
    const flags = {
      config: '/f/c',
      policy: ['/f/p'],
      state: '/f/s',
      socket: '/f/k',
      pin: '/f/n',
      cgroupRoot: '/f/g',
    };
    expect(resolvePaths(flags, env, installed)).toMatchObject({
      config: '/f/c',
      configFrom: 'flag',
      policies: ['/f/p'],
      policiesFrom: 'flag',
      state: '/f/s',
      socket: '/f/k',
      pin: '/f/n',
      cgroupRoot: '/f/g',
    });
  });

  it('treats empty text as unset and makes paths absolute', () => {
    const paths = resolvePaths(
      { state: 'here', pin: '' },
      { KERNGATE_PIN: '', KERNGATE_POLICIES: '' },
      installed,
    );
    expect(paths.state).toBe(join(process.cwd(), 'here'));
    expect(paths.pin).toBe('/sys/fs/bpf/kerngate');
    expect(paths.policiesFrom).toBe('system');
  });

  it('keeps the audit log beside a state folder that was moved', () => {
    expect(resolvePaths({ state: '/s' }, {}, installed).auditLog).toBe('/s/audit.jsonl');
    expect(resolvePaths({}, { KERNGATE_STATE: '/s' }, installed).auditLog).toBe('/s/audit.jsonl');
    expect(resolvePaths({ state: '/s' }, { KERNGATE_LOG: '/l' }, installed).auditLog).toBe('/l');
  });

  it("uses a clone's own policies where nothing is installed", () => {
    const folder = scratch();
    mkdirSync(join(folder, 'clone/policies'), { recursive: true });
    expect(resolvePaths({}, {}, host(folder))).toMatchObject({
      policies: [join(folder, 'clone/policies')],
      policiesFrom: 'clone',
    });
    mkdirSync(join(folder, 'etc/policies.d'), { recursive: true });
    expect(resolvePaths({}, {}, host(folder)).policiesFrom).toBe('system');
  });

  it('knows the root of this package', () => {
    expect(existsSync(join(PACKAGE_ROOT, 'package.json'))).toBe(true);
  });
});

it('takes the mounted cgroup v2 for the root when nothing names one', () => {
  const at = (mountInfo: string) =>
    resolvePaths({}, {}, { ...installed, mountInfo: () => mountInfo }).cgroupRoot;
  expect(at(MOUNTS)).toBe('/sys/fs/cgroup/with space');
  expect(at('')).toBeUndefined();
  const mount = execFileSync('findmnt', ['-t', 'cgroup2', '-n', '-o', 'TARGET'], { encoding: 'utf8' });
  expect(mount.split('\n').map((line) => line.trim())).toContain(resolvePaths({}, {}).cgroupRoot);
});

describe('policyFiles', () => {
  const folders = (): [string, string] => {
    const folder = scratch();
    const vendor = join(folder, 'vendor');
    const own = join(folder, 'own');
    for (const path of [vendor, own]) mkdirSync(join(path, 'templates'), { recursive: true });
    writeFileSync(join(vendor, 'templates/t.yaml'), 'x: 1');
    writeFileSync(join(vendor, 'a.yaml'), 'x: 1');
    writeFileSync(join(vendor, 'b.yaml'), 'x: 1');
    writeFileSync(join(own, 'b.yaml'), 'x: 2');
    writeFileSync(join(own, 'c.yaml'), 'x: 3');
    writeFileSync(join(own, 'note.txt'), '');
    return [vendor, own];
  };

  it('lets a file in /etc hide the shipped one, in name order, without subfolders', () => {
    const [vendor, own] = folders();
    const files = policyFiles({ policies: [vendor, own], policiesFrom: 'system' });
    expect(files).toEqual([join(vendor, 'a.yaml'), join(own, 'b.yaml'), join(own, 'c.yaml')]);
  });

  it('lets a blank file in /etc switch the shipped one off', () => {
    const [vendor, own] = folders();
    writeFileSync(join(own, 'a.yaml'), '# not here\n\n---\n');
    const files = policyFiles({ policies: [vendor, own], policiesFrom: 'system' });
    expect(files).toEqual([join(own, 'b.yaml'), join(own, 'c.yaml')]);
  });

  it('passes on what was named, and skips missing folders of the system', () => {
    expect(policyFiles({ policies: ['/nowhere'], policiesFrom: 'flag' })).toEqual(['/nowhere']);
    expect(policyFiles({ policies: ['/nowhere'], policiesFrom: 'system' })).toEqual([]);
  });
});

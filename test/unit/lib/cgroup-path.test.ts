/** Units and containers by path: those of every manager we know, and none that a user could forge. */
import { describe, expect, it } from 'vitest';
import { containerOf, unitOf } from '../../../src/lib/cgroup-path.js';

const ID = '0123456789abcdef'.repeat(4);
const OTHER = 'fedcba9876543210'.repeat(4);

describe('unitOf', () => {
  it.each([
    ['/system.slice/nginx.service', 'nginx.service'],
    ['/system.slice/nginx.service/worker/1', 'nginx.service'],
    ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service'],
    ['/system.slice/system-postgresql.slice/postgresql@15-main.service', 'postgresql@15-main.service'],
    ['/system.slice/dbus.socket', 'dbus.socket'],
    ['/system.slice/dev-hugepages.mount', 'dev-hugepages.mount'],
    ['/system.slice/run-r0a1.scope', 'run-r0a1.scope'],
    ['/init.scope', 'init.scope'],
    ['/user.slice/user-1000.slice/session-3.scope', 'session-3.scope'],
    ['/user.slice/user-1000.slice/user@1000.service/init.scope', 'user@1000.service'],
    ['/system.slice/_cpu.service', 'cpu.service'],
    ['/system.slice/dev-disk-by\\x2duuid.swap', 'dev-disk-by\\x2duuid.swap'],
  ])('%s is %s', (path, unit) => {
    expect(unitOf(path)).toBe(unit);
  });

  it.each(['', '/', '/system.slice', '/docker/abc', '/kubepods/burstable', '/.service', '/a/nginx.service'])(
    '%j has none',
    (path) => {
      expect(unitOf(path)).toBeUndefined();
    },
  );

  it('does not believe names given below a unit', () => {
    expect(unitOf('/user.slice/user-1000.slice/user@1000.service/app.slice/sshd.service')).toBe(
      'user@1000.service',
    );
    expect(unitOf(`/system.slice/docker-${ID}.scope/system.slice/sshd.service`)).toBe(`docker-${ID}.scope`);
  });
});

describe('containerOf', () => {
  it.each([
    ['docker, systemd', `/system.slice/docker-${ID}.scope`],
    ['docker in a slice of its own', `/machine.slice/machine-web.slice/docker-${ID}.scope/init`],
    ['docker, cgroupfs', `/docker/${ID}`],
    ['docker, cgroupfs, below', `/docker/${ID}/init.scope`],
    ['podman', `/machine.slice/libpod-${ID}.scope/container`],
    ['podman, cgroupfs', `/libpod_parent/libpod-${ID}`],
    ['containerd (CRI)', `/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-${ID}.scope`],
    [
      'containerd (CRI), burstable',
      `/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-${ID}.scope`,
    ],
    ['CRI-O', `/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/crio-${ID}.scope`],
    ['kubelet, cgroupfs', `/kubepods/burstable/pod6f1c/${ID}`],
    ['kubelet, cgroupfs, guaranteed', `/kubepods/pod6f1c/${ID}`],
    ['kubelet, cgroupfs, CRI-O', `/kubepods/besteffort/pod6f1c/crio-${ID}`],
    [
      'containerd, mixed drivers',
      `/system.slice/containerd.service/kubepods-burstable-pod1.slice:cri-containerd:${ID}`,
    ],
    ['nerdctl', `/system.slice/nerdctl-${ID}.scope`],
    ['containerd namespace', `/k8s.io/${ID}`],
    ['ECS', `/ecs/task-1/${ID}`],
    ['nested: the outermost', `/docker/${ID}/docker/${OTHER}`],
    [
      'a node that is a container',
      `/system.slice/docker-${ID}.scope/kubelet.slice/cri-containerd-${OTHER}.scope`,
    ],
  ])('%s', (_, path) => {
    expect(containerOf(path)).toBe(ID);
  });

  it.each([
    ['/lxc.payload.web1/init.scope', 'web1'],
    ['/lxc/web1', 'web1'],
  ])('%s is %s', (path, id) => {
    expect(containerOf(path)).toBe(id);
  });

  it.each([
    ['no container', '/system.slice/nginx.service'],
    ['the monitor beside a container', `/machine.slice/libpod-conmon-${ID}.scope`],
    ['a short id', '/docker/0123456789ab'],
    ['an id that goes on', `/docker/${ID}0`],
    ['a scope that goes on', `/system.slice/docker-${ID}.scope.d`],
    ["a name in a user's own tree", `/user.slice/user-1000.slice/user@1000.service/docker-${ID}.scope`],
    ["a name below a service's delegated group", `/system.slice/ci.service/docker/${ID}`],
    ['a service that imitates the mixed form', `/system.slice/ci.service/x:cri-containerd:${ID}`],
  ])('%s: none', (_, path) => {
    expect(containerOf(path)).toBeUndefined();
  });
});

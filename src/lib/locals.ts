/** AF_UNIX sockets that are treated apart when somebody is blocked, where the common distributions keep them. */

/** Whoever may talk to one of these can have something done for him, elsewhere and as somebody else. */
export const BROKERS: readonly string[] = [
  '/run/docker.sock',
  '/run/docker/containerd/containerd.sock',
  '/run/containerd/containerd.sock',
  '/run/podman/podman.sock',
  '/run/user/*/podman/podman.sock',
  '/run/crio/crio.sock',
  '/run/buildkit/buildkitd.sock',
  '/var/lib/lxd/unix.socket',
  '/var/lib/incus/unix.socket',
  '/run/libvirt/libvirt-sock',
  '/run/libvirt/virtqemud-sock',
  '/run/snapd.socket',
  '/run/systemd/private',
  '/run/user/*/systemd/private',
  '/run/dbus/system_bus_socket',
  '/run/user/*/bus',
];

/** What is written here goes into a log and nowhere else. */
export const LOGS: readonly string[] = [
  '/dev/log',
  '/run/systemd/journal/dev-log',
  '/run/systemd/journal/socket',
  '/run/systemd/journal/stdout',
  '/run/systemd/journal/syslog',
];

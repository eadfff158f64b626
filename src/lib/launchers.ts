/** Programs whose children begin a lineage of their own when root runs them; the default of `launchers`. */
export const LAUNCHERS: readonly string[] = [
  '/usr/sbin/sshd',
  '/usr/lib/openssh/sshd-session',
  '/usr/sbin/cron',
  '/usr/sbin/crond',
  '/usr/sbin/atd',
  '/usr/bin/containerd-shim-runc-v2',
  '/usr/bin/containerd-shim',
  '/usr/bin/conmon',
  '/usr/libexec/podman/conmon',
  '/usr/bin/dropbear',
  '/usr/sbin/dropbear',
];

/** Reads the systemd unit and the container id out of a cgroup path. */

const UNIT = /^[^/]+\.(?:service|scope|socket|mount|swap|automount|device|path|target|timer)$/;
const SLICE = /^[^/]+\.slice$/;

/**
 * The system unit a cgroup path (`/system.slice/nginx.service/worker`) belongs to, or undefined.
 *
 * It is the first component below the slices. What lies deeper was delegated to that unit, and its
 * owner may name folders as he likes: were `…/user@1000.service/sshd.service` taken for sshd's, a
 * user could have the real one blocked for his own misdeeds.
 */
export const unitOf = (path: string): string | undefined => {
  for (const part of path.split('/')) {
    if (part === '' || SLICE.test(part)) continue;
    return UNIT.test(part) ? unescapeUnit(part) : undefined;
  }
  return undefined;
};

/** systemd puts `_` before names that would clash with files of the kernel, as in `_cpu.service`. */
const unescapeUnit = (name: string): string => (name.startsWith('_') ? name.slice(1) : name);

/** Container names of systemd's cgroup driver: `docker-<id>.scope` below slices only. */
const SCOPE_PREFIXES = 'docker|cri-containerd|crio|libpod|nerdctl|containerd|buildkit';
const ID = '([0-9a-f]{64})';
const SLICES = '(?:/[^/]+\\.slice)*';

/**
 * Where container managers put their groups, by driver; the first group of each pattern is the id.
 * All are anchored at the root of the tree: only root creates folders there, so nobody can make a
 * group of his own pass for somebody else's container. Nested containers count as the outermost one.
 */
const CONTAINERS: readonly RegExp[] = [
  // systemd driver: docker, containerd (CRI), CRI-O, rootful podman, also below kubepods slices.
  new RegExp(`^${SLICES}/(?:${SCOPE_PREFIXES})-${ID}\\.scope(?:/|$)`),
  // containerd given a systemd-style path while it uses the cgroupfs driver.
  new RegExp(`^${SLICES}/(?:containerd\\.service/)?[^/]*:cri-containerd:${ID}(?:/|$)`),
  // cgroupfs driver: docker, podman, containerd's namespaces, hosted CI runners.
  new RegExp(`^/(?:docker|podman|moby|k8s\\.io|actions_job)/${ID}(?:/|$)`),
  new RegExp(`^/libpod_parent/libpod-${ID}(?:/|$)`),
  // cgroupfs driver under a kubelet, containerd or CRI-O.
  new RegExp(`^/kubepods(?:/(?:besteffort|burstable|guaranteed))?/pod[^/]+/(?:crio-)?${ID}(?:/|$)`),
  new RegExp(`^/ecs/[^/]+/${ID}(?:/|$)`),
  // LXC, LXD and Incus name containers instead of numbering them.
  /^\/lxc\.payload\.([^/]+)(?:\/|$)/,
  /^\/lxc\/([^/]+)(?:\/|$)/,
];

/**
 * The full id of the container a cgroup path belongs to, or undefined. Rootless containers have
 * none: their groups lie in a tree their user may name freely; block those by cgroup.
 */
export const containerOf = (path: string): string | undefined => {
  for (const pattern of CONTAINERS) {
    const match = pattern.exec(path);
    if (match) return match[1];
  }
  return undefined;
};

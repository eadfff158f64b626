/** The independent timer of a freeze: it thaws whatever becomes of the agent. Armed and proven before anything freezes. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { cgroupOf } from '../lib/cgroup-tree.js';
import type { Group } from '../lib/freezer.js';
import { readStat } from '../lib/proc.js';
import { KerngateError } from '../model/error.js';

export type Timer =
  | { readonly kind: 'systemd'; readonly unit: string }
  | { readonly kind: 'process'; readonly pid: number; readonly startTick: number };

const LIMIT_MS = 5_000;
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' };
/**
 * Thaws the very group it was armed for, known by its inode, and no other that took its name. Without a percent sign
 * or braces, which systemd would take for its own.
 */
const THAW = '[ -n "$(find "$1" -maxdepth 0 -inum "$2")" ] && echo 0 >"$1/cgroup.freeze"';
/**
 * Leaves the agent's cgroup first, so that whoever stops the agent's unit does not stop this. A signal thaws at once:
 * it can end early, never without its work done but by SIGKILL.
 */
const HELPER = `
echo $$ >"$4/cgroup.procs" || exit 1
nap=
thaw() { ${THAW}; [ -n "$nap" ] && kill "$nap"; exit 0; }
trap 'thaw "$1" "$2"' TERM INT HUP
sleep "$3" & nap=$!
echo armed
exec >/dev/null 2>&1
wait "$nap"
thaw "$1" "$2"
`;

/** Arms a timer that thaws `group` after `seconds`. Throws KerngateError when none can be proven to be there. */
export const arm = async (group: Group, seconds: number, mount: string): Promise<Timer> => {
  const isSystemd = existsSync('/run/systemd/system');
  const unit = isSystemd ? await armUnit(group, seconds) : undefined;
  return unit ?? armProcess(group, seconds, mount);
};

/** A transient timer of systemd's: it outlives everything but the machine. */
const armUnit = async (group: Group, seconds: number): Promise<Timer | undefined> => {
  const unit = `kerngate-thaw-${group.id}-${process.pid}-${Date.now().toString(36)}`;
  const words = ['--quiet', '--collect', `--unit=${unit}`, '--description=kerngate: thaws a frozen cgroup'];
  const when = [`--on-active=${seconds}s`, '--timer-property=AccuracySec=1s'];
  const isDone =
    (await succeeds('systemd-run', [...words, ...when, '/bin/sh', '-c', THAW, 'sh', group.path, group.id])) &&
    (await succeeds('systemctl', ['is-active', '--quiet', `${unit}.timer`]));
  return isDone ? { kind: 'systemd', unit } : undefined;
};

const succeeds = (command: string, words: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    execFile(command, [...words], { timeout: LIMIT_MS, env: ENV }, (error) => resolve(error === null));
  });

const armProcess = async (group: Group, seconds: number, mount: string): Promise<Timer> => {
  const child = spawn(
    '/bin/sh',
    ['-c', HELPER, 'kerngate-thaw', group.path, group.id, String(seconds), mount],
    {
      detached: true,
      cwd: '/',
      env: ENV,
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const isArmed = await new Promise<boolean>((resolve) => {
    const limit = setTimeout(() => resolve(false), LIMIT_MS);
    const settle = (answer: boolean): void => {
      clearTimeout(limit);
      resolve(answer);
    };
    createInterface({ input: child.stdout }).on('line', (line) => settle(line === 'armed'));
    child.once('error', () => settle(false)).once('exit', () => settle(false));
  });
  child.stdout.destroy();
  child.unref();
  const { pid } = child;
  const startTick = pid === undefined ? undefined : readStat(pid)?.startTick;
  if (isArmed && pid !== undefined && startTick !== undefined) {
    const timer = { kind: 'process', pid, startTick } as const;
    if (isAlive(timer) && isApart(pid, group, mount)) return timer;
  }
  if (pid !== undefined) endGroup(pid);
  throw new KerngateError('will not freeze: no independent timer that thaws could be armed', {
    remedy: 'The agent must be able to run /bin/sh and to move it into the root of the cgroup tree.',
  });
};

/** Neither where it would freeze with the target, nor where it would end with the agent. */
const isApart = (pid: number, { path }: Group, mount: string): boolean => {
  const own = cgroupOf(pid);
  const target = path.slice(mount.length);
  if (own === undefined || own === target || own.startsWith(`${target}/`)) return false;
  return own === '/' || own !== cgroupOf(process.pid);
};

/** False when nobody would thaw. A timer of systemd's is PID 1's to keep. */
export const isAlive = (timer: Timer): boolean => {
  if (timer.kind === 'systemd') return true;
  const stat = readStat(timer.pid);
  return stat?.startTick === timer.startTick && stat.state !== 'Z';
};

/** Takes a timer away, best effort: one that stays finds nothing to thaw. */
export const disarm = (timer: Timer): void => {
  if (timer.kind === 'process') {
    if (isAlive(timer)) endGroup(timer.pid);
    return;
  }
  try {
    execFileSync('systemctl', ['stop', `${timer.unit}.timer`], {
      timeout: LIMIT_MS,
      env: ENV,
      stdio: 'ignore',
    });
  } catch {
    /* gone already, or PID 1 does not answer */
  }
};

/** The helper leads a session of its own, so its pid names the helper and its sleep, and nothing else. */
const endGroup = (pid: number): void => {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    /* it has ended */
  }
};

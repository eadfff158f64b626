/** An agent at each enforcement level this kernel has, and the refusal where it has it not. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { expect } from 'vitest';
import type { Level } from '../../src/model/decision.js';
import { compiled } from './fixtures/compile.js';
import { isOffered } from './offers.js';
import type { Running } from './running.js';
import type { AgentStart, Stand } from './stand.js';

export const LEVELS = ['lsm', 'fmod_ret', 'cgroup'] as const;
export const GUARD: Readonly<Record<Level, string>> = {
  lsm: 'kg_lsm_connect',
  fmod_ret: 'kg_fmod_connect',
  cgroup: '',
};

/** Tried with programs of the tests' own. */
export const isHeld = async (level: Level): Promise<boolean> => level === 'cgroup' || isOffered(level);

/** The strongest level this kernel offers. */
export const strongest = async (): Promise<Level> => {
  for (const level of LEVELS) if (await isHeld(level)) return level;
  return 'cgroup';
};

/** Starts an agent forced to a level. False, after its refusal was looked at, when that does not hold here. */
export const startAt = async (stand: Stand, level: Level, options: AgentStart = {}): Promise<boolean> => {
  const agent = stand.launch({ mode: 'enforce', ...options, args: ['--level', level] });
  if (await isHeld(level)) {
    expect(await agent.line(/^ready /)).toContain(` level=${level} `);
    return true;
  }
  await expect(agent.line(/^ready /)).rejects.toThrow(
    new RegExp(`level ${level} does not hold: \\S[^]*--level auto`),
  );
  expect([agent.child.exitCode, existsSync(stand.pin), existsSync(stand.state)]).toEqual([6, false, false]);
  return false;
};

export const hooksOf = async (stand: Stand): Promise<string[]> =>
  (await stand.json<{ hooks: { program: string }[] }>('status')).hooks.map(({ program }) => program);

/**
 * Families that are modules where this kernel has them at all, without which their sockets cannot be opened, and what
 * lists and ends sockets; in a guest the kernel finds no modprobe to load them by itself.
 */
export const loadFamilies = (): void => {
  for (const name of ['sctp', 'vsock_loopback', 'tun', 'tcp_diag', 'udp_diag']) {
    try {
      execFileSync('modprobe', ['-q', name], { stdio: 'ignore' });
    } catch {
      /* not in this kernel: the attempt then fails for another reason, which is seen and allowed for */
    }
  }
};

export interface Tried {
  /** Ways that were refused with EPERM. */
  readonly denied: readonly string[];
  readonly open: readonly string[];
}

/** A process that tries every way to connect each time it is told to. */
export const startTrying = async (stand: Stand, cgroup = stand.cgroup): Promise<Running> => {
  const actor = stand.spawn(compiled('ways'), [cgroup]);
  await actor.line(/^up$/);
  return actor;
};

/** Lets it try each way once, of those this kernel has. */
export const tryAll = async (actor: Running): Promise<Tried> => {
  const from = actor.lines.length;
  actor.child.stdin?.write('\n');
  await actor.line(/^tried$/, from);
  const tried = actor.lines.slice(from, -1).map((line) => line.split(' '));
  const ways = (test: (errno: string) => boolean): string[] =>
    tried.flatMap(([way = '', errno = '']) => (errno !== 'none' && test(errno) ? [way] : []));
  return { denied: ways((errno) => errno === '1'), open: ways((errno) => errno !== '1') };
};

/** Those a cgroup program sees as well. */
export const gated = (ways: readonly string[]): string[] => ways.filter((way) => way !== 'vsock');

/** Those without an address hook: their sockets are refused when they are made. */
export const isMadeInVain = (way: string): boolean => ['raw', 'raw6', 'sctp', 'vsock'].includes(way);

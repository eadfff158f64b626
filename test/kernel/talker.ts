/** A process with sockets of its own, in a cgroup and perhaps a network namespace of its own, told what to do. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Running } from './running.js';

const SCRIPT = fileURLToPath(new URL('fixtures/talker.py', import.meta.url));
const PYTHON = '/usr/bin/python3';
const IN_NETNS = ['-n', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];

export interface Talker {
  readonly running: Running;
  readonly pid: number;
  /** The words of its answer. */
  say(line: string): Promise<string[]>;
  /** The same without waiting: for a call that blocks. */
  begin(line: string): Promise<string[]>;
}

/** `spawner` starts it and ends it when the test is over. */
export const talk = async (
  cgroup: string,
  { netns = false, spawner = start }: { netns?: boolean; spawner?: typeof start } = {},
): Promise<Talker> => {
  const words = [PYTHON, SCRIPT, cgroup];
  const running = netns ? spawner('unshare', [...IN_NETNS, ...words]) : spawner(PYTHON, words.slice(1));
  await running.line(/^up$/);
  const say = async (line: string): Promise<string[]> => {
    const from = running.lines.length;
    running.child.stdin?.write(`${line}\n`);
    return (await running.line(/./, from)).split(' ');
  };
  return { running, pid: running.pid, say, begin: say };
};

export const start = (command: string, args: readonly string[]): Running =>
  new Running(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }));

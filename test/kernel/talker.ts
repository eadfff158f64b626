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

/** What Node calls pipes are AF_UNIX sockets, which the isolated may not even read. */
const BY_PIPES = ['-c', 'cat | "$@" | cat', 'sh'];

/** `spawner` starts it and ends it when the test is over. */
export const talk = async (
  cgroup: string,
  {
    netns = false,
    pipes = false,
    spawner = start,
  }: { netns?: boolean; pipes?: boolean; spawner?: typeof start } = {},
): Promise<Talker> => {
  const words = [PYTHON, SCRIPT, cgroup];
  const inside = pipes ? ['sh', ...BY_PIPES, ...words] : words;
  const [command = '', ...rest] = netns ? ['unshare', ...IN_NETNS, ...inside] : inside;
  const running = spawner(command, rest);
  const pid = Number((await running.line(/^pid /)).slice(4));
  await running.line(/^up$/);
  const say = async (line: string): Promise<string[]> => {
    const from = running.lines.length;
    running.child.stdin?.write(`${line}\n`);
    return (await running.line(/./, from)).split(' ');
  };
  return { running, pid, say, begin: say };
};

export const start = (command: string, args: readonly string[]): Running =>
  new Running(spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }));

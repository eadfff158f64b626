/** A program that acts when told: each attempt one line, each answer the kernel's own. */
import { constants } from 'node:os';
import { compiled } from './fixtures/compile.js';
import type { Running, Stand } from './stand.js';

export interface Answer {
  readonly passed: boolean;
  /** Nanoseconds since boot around the call. */
  readonly before: bigint;
  readonly after: bigint;
}

export class Player {
  readonly #running: Running;
  #read = 0;

  private constructor(running: Running) {
    this.#running = running;
  }

  /** Starts `program`, a copy of the fixture, in `cgroup`; then as `uid`. `under`: words of a command that starts it. */
  static async start(
    stand: Stand,
    { cgroup = stand.cgroup, program = compiled('player'), uid = 0, under = [] as readonly string[] } = {},
  ): Promise<Player> {
    const [command = program, ...args] = [...under, program];
    const player = new Player(stand.spawn(command, args));
    await player.#line();
    await player.tell(`enter ${cgroup}`);
    if (uid !== 0) await player.tell(`setuid ${uid}`);
    return player;
  }

  /** The process that was started, whoever reads its input now. */
  get pid(): number {
    return this.#running.pid;
  }

  /** Has it change what it is; answers the pid of who reads on. */
  async tell(order: string): Promise<number> {
    this.#running.child.stdin?.write(`${order}\n`);
    const line = await this.#line();
    if (!line.startsWith('pid ')) throw new Error(`${order}: ${line}`);
    return Number(line.slice(4));
  }

  /** One attempt: `connect 127.0.0.1 1`, `child send ::1 53`, `thread udp 127.0.0.1 7`. */
  async attempt(words = 'connect 127.0.0.1 1'): Promise<Answer> {
    this.#running.child.stdin?.write(`${words}\n`);
    const [errno, before, after] = (await this.#line()).split(' ');
    const error = Number(errno);
    const { EPERM, ECONNREFUSED } = constants.errno;
    if (![0, EPERM, ECONNREFUSED].includes(error)) throw new Error(`${words}: errno ${error}`);
    return { passed: error !== EPERM, before: BigInt(before ?? 0), after: BigInt(after ?? 0) };
  }

  /** The same attempt several times: what passed as `+`, what was refused as `-`. */
  async row(count: number, words?: string): Promise<string> {
    let row = '';
    for (let i = 0; i < count; i++) row += (await this.attempt(words)).passed ? '+' : '-';
    return row;
  }

  /** Has it end, and waits for it. */
  end(): Promise<void> {
    return this.#running.kill('SIGKILL');
  }

  async #line(): Promise<string> {
    const line = await this.#running.line(/./, this.#read);
    this.#read++;
    return line;
  }
}

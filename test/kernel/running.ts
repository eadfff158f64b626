/** A running fixture of the kernel tests, and what it tells at its end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Tally {
  readonly passed: number;
  readonly denied: number;
  readonly other: number;
}

/** A running fixture: its lines as they come, its input to end it. */
export class Running {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    }
    // Not its exit: what it wrote before may still be on the way.
    child.once('close', () => {
      this.#isClosed = true;
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('not started');
    return this.child.pid;
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Waits for a line that matches, from line `from` on; fails when the process ends without it. */
  async line(pattern: RegExp, from = 0): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#isClosed) throw new Error(`ended without ${pattern}:\n${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** A stepping connector makes one attempt; answers `passed` or `denied`. */
  async step(): Promise<string> {
    if (this.lines.length === 0) await this.line(/^up$/);
    const from = this.lines.length;
    this.child.stdin?.write('\n');
    return this.line(/^(passed|denied)$/, from);
  }

  /** Ends its input and waits for the last line. */
  async finish(): Promise<Tally> {
    this.child.stdin?.end();
    return parseTally(await this.line(/^passed \d+ denied/));
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.isOver) return;
    this.child.kill(signal);
    await once(this.child, 'exit');
  }
}

/** Reads a fixture's last line. */
export const parseTally = (line: string): Tally => {
  const [, passed, denied, other] = /passed (\d+) denied (\d+) other (\d+)/.exec(line) ?? [];
  return { passed: Number(passed), denied: Number(denied), other: Number(other) };
};

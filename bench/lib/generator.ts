/** A process in a cgroup of its own that makes calls on demand and says what each cost. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroup2Mount } from '../../src/lib/cgroup-tree.js';
import { Running } from '../../test/kernel/running.js';

export class Generator<Kind extends string> {
  readonly cgroup: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'kerngate-bench-'));
  readonly #running: Running;

  /** `source` is in C: it takes the cgroup to enter, says `up`, and answers `KIND COUNT` with nanoseconds. */
  constructor(source: string) {
    this.cgroup = join(cgroup2Mount() ?? '', this.#folder.slice(this.#folder.lastIndexOf('/') + 1));
    mkdirSync(this.cgroup);
    const program = join(this.#folder, 'generator');
    execFileSync('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', program, source], { stdio: 'inherit' });
    this.#running = new Running(spawn(program, [this.cgroup], { stdio: ['pipe', 'pipe', 'inherit'] }));
  }

  async ready(): Promise<void> {
    await this.#running.line(/^up$/);
  }

  /** Nanoseconds a call, on the average of `count`. */
  async cost(kind: Kind, count: number): Promise<number> {
    const from = this.#running.lines.length;
    this.#running.child.stdin?.write(`${kind} ${count}\n`);
    return Number(await this.#running.line(/^[\d.]+$/, from));
  }

  async close(): Promise<void> {
    await this.#running.kill('SIGKILL');
    rmdirSync(this.cgroup);
    rmSync(this.#folder, { recursive: true });
  }
}

/** Talks with the prober's innocent side: it starts attackers, and knows what reached anybody. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PACKAGE_ROOT } from '../lib/paths.js';
import { KerngateError } from '../model/error.js';

export const PROBER = join(PACKAGE_ROOT, 'native/build/kerngate-ways');

/** A way as the prober describes it. */
export interface Way {
  readonly way: string;
  readonly family: string;
  /** What of a kernel it needs; empty when every kernel has it. */
  readonly needs: string;
  readonly meaning: string;
}

/** What came of one attempt. Numbers are errnos; a negative `ended` is the signal that ended the attacker. */
export interface Trial {
  readonly reached: boolean;
  readonly ended: number;
  /** It could not even be prepared. */
  readonly cannot?: number;
  /** From `go` to the moment it reached somebody. */
  readonly ms: number;
}

interface Running {
  ready: (pid: number | undefined) => void;
  done: (trial: Trial) => void;
  fail: (error: Error) => void;
  since: number;
  trial: { reached: boolean; ended: number; cannot?: number; ms: number };
}

/** Every way the prober knows. */
export const knownWays = (): Way[] => {
  if (!existsSync(PROBER)) {
    throw new KerngateError(`${PROBER} is not there`, { remedy: 'In a clone it is built by: npm run setup' });
  }
  const lines = execFileSync(PROBER, ['list'], { encoding: 'utf8' }).trim().split('\n');
  return lines.map((line) => {
    const [way = '', family = '', needs = '', meaning = ''] = line.split('\t');
    return { way, family, needs, meaning };
  });
};

/** It has processes to end, and ends by itself. */
const END_MS = 10_000;

export class Prober {
  /** What this kernel lacks, as `SCTP` with its errno. */
  readonly missing = new Map<string, number>();
  /** Refusals that innocent processes met: `accept EPERM`. */
  readonly hurt: string[] = [];
  readonly #child: ChildProcess;
  readonly #running = new Map<number, Running>();
  #up: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #words = '';
  #last = 0;

  constructor(cgroup: string, dir: string) {
    this.#child = spawn(PROBER, ['listen', cgroup, dir], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    /* One that ended says so by its end; the broken pipe says no more. */
    this.#child.stdin?.on('error', () => undefined);
    this.#child.on('error', (error) => this.#lose(error));
    this.#child.on('close', () => this.#lose(new KerngateError(`the prober ended: ${this.#words.trim()}`)));
    this.#child.stderr?.on('data', (text) => {
      this.#words += text;
    });
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => this.#hear(line));
    }
  }

  /** Resolves when everything that can be reached is there. */
  up(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#up = { resolve, reject };
    });
  }

  /**
   * One attempt by a process of its own. `meanwhile` is called with its pid when it is prepared, and before it is
   * told to go. What it sent may be on its way for `settleMs` after its last process ended.
   */
  attempt(way: string, settleMs: number, meanwhile: (pid: number) => Promise<void>): Promise<Trial> {
    this.#last += 1;
    const id = this.#last;
    const done = new Promise<Trial>((resolve, reject) => {
      const ready = (pid: number | undefined): void => {
        const prepared = pid === undefined ? Promise.resolve() : meanwhile(pid);
        prepared.then(() => this.#go(id, settleMs), reject);
      };
      this.#running.set(id, {
        ready,
        done: resolve,
        fail: reject,
        since: 0,
        trial: { reached: false, ended: 0, ms: 0 },
      });
    });
    this.#tell(`start ${id} ${way}`);
    return done;
  }

  /** Ends it, and every attacker with it. */
  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin?.end();
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await gone;
    clearTimeout(insist);
  }

  #go(id: number, settleMs: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    running.since = performance.now();
    this.#tell(`go ${id} ${Math.ceil(settleMs)}`);
  }

  #tell(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  #hear(line: string): void {
    const [first = '', verb = '', value = ''] = line.split(' ');
    if (first === 'up') this.#up?.resolve();
    else if (first === 'without')
      this.missing.set(line.slice(8, line.lastIndexOf(' ')), Number(line.split(' ').at(-1)));
    else if (first === 'hurt') this.hurt.push(`${verb} ${value}`);
    else this.#hearOf(Number(first), verb, Number(value));
  }

  #hearOf(id: number, verb: string, value: number): void {
    const running = this.#running.get(id);
    if (running === undefined) return;
    const { trial } = running;
    if (verb === 'ready') running.ready(value);
    else if (verb === 'cannot') trial.cannot = value;
    else if (verb === 'ended') trial.ended = value;
    else if (verb === 'reached') {
      trial.reached = true;
      trial.ms = performance.now() - running.since;
    } else if (verb === 'done') {
      this.#running.delete(id);
      running.done(trial);
    }
  }

  #lose(error: Error): void {
    this.#up?.reject(error);
    for (const { fail } of this.#running.values()) fail(error);
    this.#running.clear();
  }
}

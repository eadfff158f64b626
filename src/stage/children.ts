/** Child processes of a throwaway place: some run to their end, with others it talks line by line. */
import { execa } from 'execa';
import { KerngateError } from '../model/error.js';

const run = (command: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  execa(command, args, { env, extendEnv: false, all: true, reject: false, stdin: 'ignore' });

const running = new Set<ReturnType<typeof run>>();

/** Runs a program to its end; `output` holds stdout and stderr as they came. */
export const runToEnd = async (
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number; output: string }> => {
  const child = run(command, args, env);
  running.add(child);
  const result = await child;
  running.delete(child);
  return { code: result.exitCode ?? 1, output: result.all };
};

/** Ends what an interruption left half done, and waits until it is gone. */
export const endCommands = async (): Promise<void> => {
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(running);
};

const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv) =>
  execa(command, args, { env, extendEnv: false, all: true, reject: false, buffer: false });

/** A program that stays: it is told lines and tells some. */
export class Talker {
  readonly #child: ReturnType<typeof start>;
  readonly #lines: AsyncIterator<string>;
  readonly #name: string;
  readonly #said: string[] = [];

  constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.#child = start(command, args, env);
    this.#lines = this.#child.iterable({ from: 'all' })[Symbol.asyncIterator]();
  }

  /** Throws KerngateError when it could not be started. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new KerngateError(`${this.#name} could not be started`);
    return this.#child.pid;
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Its next line that matches. Throws KerngateError, with all it said, when it ends before. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new KerngateError(`${this.#name} ended early:\n${this.#said.join('\n')}`);
      this.#said.push(value);
      if (pattern.test(value)) return value;
    }
  }

  /** Reads on without looking, so that it never waits for its reader. */
  async ignore(): Promise<void> {
    while (!(await this.#lines.next()).done);
  }

  /** Ends it: asks first, then insists. */
  async end(): Promise<void> {
    this.#child.kill('SIGTERM');
    const insist = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#child;
    clearTimeout(insist);
  }
}

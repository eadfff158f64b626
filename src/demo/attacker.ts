/** The attacker of the demonstration: one bash process that connects in a loop, as often as it is told. */
import { Talker } from '../stage/children.js';
import type { Stage } from '../stage/stage.js';

/** No subshell anywhere: all attempts come from one process, which is what the policy counts by. */
const LOOP = `exec 2>&1
while read -r count port; do
  for ((n = 0; n < count; n++)); do
    if { :; } 3<>"/dev/tcp/127.0.0.1/$port"; then echo connected; fi
  done
done`;

/** What bash says of an attempt: its own word when it came through, the kernel's reason when not. */
const RESULT = /^connected$|^bash: connect: /;

export class Attacker {
  readonly #bash: Talker;
  readonly #port: number;

  /** Starts it in the cgroup of the stage; it waits to be told. */
  constructor(stage: Stage, port: number) {
    this.#bash = new Talker('the attacker', 'bash', ['-c', LOOP, 'bash'], stage.env);
    this.#port = port;
    stage.after('the attacker', () => this.#bash.end());
    stage.admit(this.#bash.pid);
  }

  get pid(): number {
    return this.#bash.pid;
  }

  /** Makes it connect `count` times; `show` gets each result as it comes. Answers all of them. */
  async connect(count: number, show: (result: string, index: number) => void): Promise<string[]> {
    const results: string[] = [];
    this.#bash.tell(`${count} ${this.#port}`);
    while (results.length < count) {
      const result = await this.#bash.line(RESULT);
      results.push(result);
      show(result, results.length);
    }
    return results;
  }
}

/** Takes the lines of the agent's stream, orders them, writes them, and counts what is missing. */
import { Reorder } from './reorder.js';
import type { CaptureFile } from './write.js';

/** The rings are drained within milliseconds of each other, on a busy host within some hundred. */
const WAIT_NS = 2e9;
const WAITING_MOST = 65_536;
const BOOT_NS = /"boot_ns":"(\d{1,20})"/;
const LOST = /"lost":(\d{1,15})/;
const DROPPED = /^\{"dropped":(\d{1,15})\}$/;

export class Recorder {
  readonly #file: CaptureFile;
  readonly #reorder = new Reorder({ waitNs: WAIT_NS, most: WAITING_MOST });
  readonly #give = (line: string): void => this.#file.event(line);
  readonly #lostBefore: number;
  #lostSince: number;
  #dropped = 0;

  /** `lostBefore`: events the agent's rings had lost when the capture began. */
  constructor(file: CaptureFile, lostBefore: number) {
    this.#file = file;
    this.#lostBefore = lostBefore;
    this.#lostSince = lostBefore;
  }

  /** One line of the stream. The promise, if any, is for the moment the disk has kept up. */
  line(line: string): Promise<void> | undefined {
    const at = BOOT_NS.exec(line);
    if (at === null) {
      this.#dropped += Number(DROPPED.exec(line)?.[1] ?? 0);
      return undefined;
    }
    // The last one: text of a process may come before it, but quotes of its own are escaped.
    this.#lostSince = Math.max(this.#lostSince, Number(LOST.exec(line.slice(-200))?.[1] ?? 0));
    this.#reorder.push(Number(at[1]), line, this.#give);
    return this.#file.room;
  }

  /** What the rings have lost by now, as the agent counts it. */
  ringsLost(total: number): void {
    this.#lostSince = Math.max(this.#lostSince, total);
  }

  get lost(): number {
    return this.#dropped + this.#reorder.late + this.#lostSince - this.#lostBefore;
  }

  /** Nothing more comes. `isWhole`: the capture was ended by who began it. Throws KerngateError. */
  async finish(isWhole: boolean): Promise<void> {
    this.#reorder.end(this.#give);
    await this.#file.close(this.lost, isWhole);
  }

  /** Brings to the disk what has waited long enough. Throws KerngateError once that takes no more. */
  checkpoint(): void {
    this.#reorder.settle(this.#give);
    this.#file.checkpoint();
  }
}

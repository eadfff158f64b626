/** The audit log: one JSON line for everything that changed what is denied, and who asked for it. */
import { pino } from 'pino';
import type { Clock } from '../lib/clock.js';
import type { Decision, Mode } from '../model/decision.js';
import { AppendFile } from './append-file.js';

/** Who asked, by the credentials of the socket; absent: the agent itself. */
export interface AuditPeer {
  readonly pid: number;
  readonly uid: number;
}

export class AuditLog {
  readonly #file: AppendFile;
  readonly #log: pino.Logger;

  /** Never throws: an audit log that cannot be written is counted, and enforcement goes on. */
  constructor(path: string, clock: Clock) {
    this.#file = new AppendFile(path);
    this.#log = pino(
      {
        base: null,
        timestamp: () => `,"at":"${clock.wall(clock.bootNs())}"`,
        // pino begins each line with what this returns; a schema version says more than a level.
        formatters: { level: () => ({ v: 1 }) },
      },
      this.#file,
    );
  }

  /** Lines that did not reach the file. */
  get failed(): number {
    return this.#file.failed;
  }

  get lastError(): string | undefined {
    return this.#file.lastError;
  }

  decision(decision: Decision, peer?: AuditPeer): void {
    this.#write('decision', { decision }, peer);
  }

  /** A decision that ended: `why` is `unblock`, `expired`, `panic` or the like. */
  lifted(decision: Decision, why: string, peer?: AuditPeer): void {
    this.#write('lifted', { why, decision }, peer);
  }

  mode(from: Mode, to: Mode, why: string, peer?: AuditPeer): void {
    this.#write('mode', { from, to, why }, peer);
  }

  panic(lifted: number, peer?: AuditPeer): void {
    this.#write('panic', { lifted }, peer);
  }

  /** Anything else an auditor wants to see: start, stop, reload, allow-list changes. */
  note(event: string, fields: Readonly<Record<string, unknown>>, peer?: AuditPeer): void {
    this.#write(event, fields, peer);
  }

  /** After lines were lost: writes down how many, as soon as that works again. */
  recover(): void {
    if (this.lastError === undefined) return;
    const { failed } = this;
    this.#write('lost', { lines: failed }, undefined);
    // The attempt itself is no loss.
    if (this.lastError !== undefined) this.#file.failed = failed;
  }

  reopen(): boolean {
    return this.#file.reopen();
  }

  close(): void {
    this.#file.close();
  }

  #write(event: string, fields: Readonly<Record<string, unknown>>, peer: AuditPeer | undefined): void {
    this.#log.info({ event, ...fields, ...(peer && { peer: { pid: peer.pid, uid: peer.uid } }) });
  }
}

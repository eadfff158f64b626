/** Two programs that do nothing, attached where the packet gate stands. */
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LinkHandle, native, type ObjectHandle } from '../../src/kernel/native.js';
import { bpfObject, ROOT } from '../lib/build.js';

export class Empty {
  readonly #object: ObjectHandle;
  readonly #cgroupFd: number;
  #links: LinkHandle[] = [];

  constructor(cgroup: string) {
    const folder = mkdtempSync(join(tmpdir(), 'kerngate-bench-'));
    try {
      this.#object = native().objectOpen(bpfObject(join(ROOT, 'bench/quiet/empty.bpf.c'), folder));
    } finally {
      rmSync(folder, { recursive: true });
    }
    native().objectLoad(this.#object);
    this.#cgroupFd = openSync(cgroup, 'r');
  }

  attach(): void {
    const names = ['empty_egress', 'empty_ingress'];
    this.#links = names.map((name) => native().attach(this.#object, name, this.#cgroupFd));
  }

  detach(): void {
    for (const link of this.#links.splice(0)) native().linkClose(link);
  }

  close(): void {
    this.detach();
    native().objectClose(this.#object);
    closeSync(this.#cgroupFd);
  }
}

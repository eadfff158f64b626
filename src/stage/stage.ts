/** A throwaway place for an agent of its own: a cgroup, a folder and a BPF file system, taken down in reverse. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cgroup2Mount } from '../lib/cgroup-tree.js';
import { KerngateError } from '../model/error.js';
import { endCommands, runToEnd } from './children.js';
import { removeCgroup, signPlace } from './left-overs.js';

export class Stage {
  readonly dir: string;
  readonly cgroup: string;
  readonly policyFile: string;
  /** Environment of the agent and of each command: the caller's own kerngate is out of their reach. */
  readonly env: NodeJS.ProcessEnv;
  #closed = false;
  readonly #undo: { readonly what: string; readonly work: () => unknown }[] = [];

  /**
   * Makes folder and cgroup, both called `kerngate-NAME-` and six letters. Throws KerngateError or the system's
   * error; then what was made is gone again.
   */
  constructor(name: string, parent: string | undefined = process.env.KERNGATE_CGROUP_ROOT || cgroup2Mount()) {
    if (parent === undefined) {
      throw new KerngateError('no cgroup v2 hierarchy is mounted, so there is no cgroup to do this in', {
        remedy: 'Mount one: mount -t cgroup2 none /sys/fs/cgroup/unified',
      });
    }
    this.dir = mkdtempSync(join(tmpdir(), `kerngate-${name}-`));
    this.after(this.dir, () => rmSync(this.dir, { recursive: true, force: true }));
    try {
      this.cgroup = mkdtempSync(join(parent, `kerngate-${name}-`));
    } catch (error) {
      rmSync(this.dir, { recursive: true });
      throw error;
    }
    this.after(this.cgroup, () => removeCgroup(this.cgroup));
    signPlace(this.dir, this.cgroup);
    this.policyFile = join(this.dir, 'policy.yaml');
    this.env = this.#environment();
  }

  /** Remembers how to undo something; the last one remembered is undone first. Throws once the stage is closed. */
  after(what: string, work: () => unknown): void {
    if (this.#closed) {
      work();
      throw new KerngateError('it is over');
    }
    this.#undo.unshift({ what, work });
  }

  /** Mounts a BPF file system for the pins: the host's own is not needed and not touched. */
  async mountPins(): Promise<void> {
    const path = join(this.dir, 'bpf');
    mkdirSync(path);
    const { code, output } = await runToEnd('mount', ['-t', 'bpf', '-o', 'mode=0700', 'bpf', path], this.env);
    if (code !== 0) throw new KerngateError(`${path}: cannot mount a BPF file system: ${output.trim()}`);
    this.after(path, async () => {
      const unmounted = await runToEnd('umount', [path], this.env);
      if (unmounted.code !== 0) throw new Error(unmounted.output.trim());
    });
  }

  /** Puts a process into the cgroup. */
  admit(pid: number): void {
    writeFileSync(join(this.cgroup, 'cgroup.procs'), String(pid));
  }

  /** Undoes everything, also what comes after a failure. Throws KerngateError that names what is left. */
  async close(): Promise<void> {
    const left: string[] = [];
    this.#closed = true;
    await endCommands();
    for (const { what, work } of this.#undo.splice(0)) {
      try {
        await work();
      } catch (error) {
        left.push(`${what}: ${(error as Error).message}`);
      }
    }
    if (left.length > 0) throw new KerngateError(`could not clean up ${left.join('; ')}`);
  }

  #environment(): NodeJS.ProcessEnv {
    const own = Object.entries(process.env).filter(([name]) => !/^(KERNGATE_|NOTIFY_SOCKET$)/.test(name));
    const config = join(this.dir, 'kerngate.yaml');
    writeFileSync(config, '# The defaults.\n');
    return {
      ...Object.fromEntries(own),
      KERNGATE_CGROUP_ROOT: this.cgroup,
      KERNGATE_CONFIG: config,
      KERNGATE_POLICIES: this.policyFile,
      KERNGATE_STATE: join(this.dir, 'state'),
      KERNGATE_SOCKET: join(this.dir, 'run/kerngate.sock'),
      KERNGATE_PIN: join(this.dir, 'bpf/kerngate'),
      LC_ALL: 'C',
      NO_COLOR: '1',
    };
  }
}

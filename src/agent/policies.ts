/** The policies in force: read, placed, handed to the kernel; a bad set changes nothing. */
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KG_NEEDS } from '../abi/generated.js';
import { fileIdOf } from '../kernel/executable.js';
import type { Maps } from '../kernel/maps.js';
import { executablesOf, installRules } from '../kernel/rule-bank.js';
import { PACKAGE_ROOT, type Paths, policyFiles } from '../lib/paths.js';
import type { Mode } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { KernelRule, Policy } from '../model/policy.js';
import { formatProblem, type KernelCan, loadPolicies, placePolicies } from '../policy/index.js';

export const CAN: KernelCan = {
  sessionId: existsSync('/proc/self/sessionid'),
  exe: (path) => fileIdOf(path) !== undefined,
};

/** Name and block of each rule by hash, for commands that run while the agent is down. */
export const rulesPath = (state: string): string => join(state, 'rules.json');

export class PolicyStore {
  #policies: readonly Policy[] = [];
  readonly #paths: Paths;
  #executables = '';
  #written = '';

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  get all(): readonly Policy[] {
    return this.#policies;
  }

  get rules(): KernelRule[] {
    return this.#policies.flatMap(({ kernelRule }) => kernelRule ?? []).sort((a, b) => a.order - b.order);
  }

  byRule(hash: string): Policy | undefined {
    return this.#policies.find((policy) => policy.hash === hash);
  }

  /** Reads and places the set anew. Throws KerngateError (invalid) with every problem; then the old one stays. */
  read(): readonly Policy[] {
    const isOurs = this.#paths.policiesFrom !== 'system';
    const { policies, problems } = loadPolicies(policyFiles(this.#paths), {
      checkOwner: isOurs ? 'root-or-clone' : 'root',
      cloneOwner: statSync(PACKAGE_ROOT).uid,
    });
    if (problems.length > 0) {
      throw new KerngateError(problems.map(formatProblem).join('\n'), {
        exit: 'invalid',
        remedy: 'Correct the policies; nothing was changed. Try them with: kerngate policy check PATH',
      });
    }
    return placePolicies(policies, CAN);
  }

  use(policies: readonly Policy[]): void {
    this.#policies = policies;
  }

  /** Takes another set into force. What the kernel refuses changes nothing, and is thrown. */
  replace(policies: readonly Policy[], maps: Maps, mode: Mode): void {
    const old = this.#policies;
    this.use(policies);
    try {
      this.install(maps, mode);
    } catch (cause) {
      this.use(old);
      throw new KerngateError(`the kernel took not all of the rules: ${(cause as Error).message}`, {
        exit: 'invalid',
        remedy: 'Name fewer addresses, users or executables; nothing was changed.',
        cause,
      });
    }
  }

  /** Puts the rules into the kernel under the agent's mode. */
  install(maps: Maps, mode: Mode): void {
    const lineage = this.#policies.some(needsLineage) ? KG_NEEDS.LINEAGE : 0;
    const exe = this.rules.some((rule) => rule.by === 'exe' || rule.exes !== undefined) ? KG_NEEDS.EXE : 0;
    /* bits are only ever added while entries may need them; a new agent starts with the ones in force */
    maps.control.set('NEEDS', maps.control.get('NEEDS') | BigInt(lineage | exe));
    this.#executables = executablesOf(this.rules);
    installRules(maps, this.rules, mode);
    this.writeNames();
  }

  /** True when an executable that a rule names was replaced, made or removed since the rules were installed. */
  executablesChanged(): boolean {
    return executablesOf(this.rules) !== this.#executables;
  }

  /**
   * Tried again until it succeeds; a full disk must stop neither a panic nor a reload. Without it an
   * unblock by policy finds less while no agent runs, and nothing else changes.
   */
  writeNames(): void {
    const text = `${JSON.stringify(Object.fromEntries(this.#policies.map(({ hash, name }) => [hash, name])))}\n`;
    if (text === this.#written) return;
    const path = rulesPath(this.#paths.state);
    try {
      writeFileSync(`${path}.tmp`, text, { mode: 0o600 });
      renameSync(`${path}.tmp`, path);
      this.#written = text;
    } catch {
      this.#written = '';
    }
  }
}

const needsLineage = ({ detect, then }: Policy): boolean =>
  then.block === 'lineage' || (detect.type === 'burst' && detect.by === 'lineage');

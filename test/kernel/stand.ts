/**
 * A stand for one test: a cgroup, pins, state and a socket of its own, the real agent on them, and real
 * programs inside. Everything it made is taken away again, also when the test fails.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callAgent } from '../../src/control/client.js';
import { cgroup2Mount } from '../../src/lib/cgroup-tree.js';
import { compiled } from './fixtures/compile.js';
import { levelWords, SLOW, span } from './pace.js';
import { parseTally, Running, type Tally } from './running.js';

export { Running, type Tally };

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = process.env.KERNGATE_TEST_MAIN ?? join(ROOT, 'dist/main.js');

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AgentStart {
  readonly mode?: 'audit' | 'enforce';
  /** Text of a policy file; the stand's last one when absent. */
  readonly policy?: string;
  /** Text of kerngate.yaml; the circuit breaker is off unless it speaks of it. */
  readonly config?: string;
  readonly args?: readonly string[];
  /** Another build's main.js. */
  readonly main?: string;
  /** A command, with its words, that becomes the agent. */
  readonly under?: readonly [string, ...string[]];
}

export class Stand {
  readonly dir = mkdtempSync(join(tmpdir(), 'kerngate-stand-'));
  readonly cgroup: string;
  readonly pin: string;
  readonly state = join(this.dir, 'state');
  readonly socket = join(this.dir, 'run/kerngate.sock');
  readonly policyFile = join(this.dir, 'policy.yaml');
  /** The command line's main file, for `node`. */
  readonly main = MAIN;
  agent: Running | undefined;
  readonly #running: Running[] = [];
  readonly #cgroups: string[] = [];

  constructor() {
    const bpffs = process.env.KERNGATE_TEST_BPFFS;
    if (bpffs === undefined) throw new Error('run the kernel lane through: npm test -- kernel');
    const name = this.dir.slice(this.dir.lastIndexOf('/') + 1);
    // A slice, so that a folder below it can be a unit.
    this.cgroup = join(cgroup2Mount() ?? '', `${name}.slice`);
    mkdirSync(this.cgroup);
    this.pin = join(bpffs, name);
  }

  /** A cgroup below the stand's own. */
  makeCgroup(name: string): string {
    const path = join(this.cgroup, name);
    mkdirSync(path);
    this.#cgroups.push(path);
    return path;
  }

  /** Starts the agent and waits until it is ready. Rejects with its output when it ends before. */
  async start(options: AgentStart = {}): Promise<Running> {
    const running = this.launch(options);
    await running.line(/^ready /);
    return running;
  }

  /** Starts the agent without waiting. */
  launch({ mode, policy, config, args = [], main = MAIN, under }: AgentStart = {}): Running {
    if (policy !== undefined) writeFileSync(this.policyFile, policy);
    const configFile = join(this.dir, 'kerngate.yaml');
    if (config !== undefined || !existsSync(configFile)) writeFileSync(configFile, withBreaker(config ?? ''));
    const words = [
      'run',
      ...(mode === undefined ? [] : ['--mode', mode]),
      ...(existsSync(this.policyFile) ? ['--policy', this.policyFile] : []),
      ...(existsSync(configFile) ? ['--config', configFile] : []),
      ...levelWords(args),
      ...args,
    ];
    const [command, ...first] = [...(under ?? []), process.execPath] as [string, ...string[]];
    this.agent = this.#spawn(command, [...first, main, ...words]);
    return this.agent;
  }

  /** Puts other policies in force. Rejects with the agent's words when it does not take them. */
  async reload(policy: string): Promise<void> {
    writeFileSync(this.policyFile, policy);
    await callAgent(this.socket, 'POST', '/v1/policies/reload');
  }

  /** Stops the agent cleanly; answers its exit code. */
  async stop(): Promise<number | null> {
    await this.agent?.kill('SIGTERM');
    return this.agent?.child.exitCode ?? null;
  }

  /** Runs a command to its end, with the stand's paths. */
  async cli(...args: string[]): Promise<Ran> {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: this.env(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const out = { stdout: '', stderr: '' };
    child.stdout.on('data', (data) => {
      out.stdout += data;
    });
    child.stderr.on('data', (data) => {
      out.stderr += data;
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, ...out };
  }

  /** The JSON a command prints. Fails when it prints none. */
  async json<T>(...args: string[]): Promise<T> {
    const { stdout, stderr, code } = await this.cli('-o', 'json', ...args);
    if (stdout === '') throw new Error(`${args.join(' ')} printed nothing (exit ${code}): ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Starts a connector; it enters `cgroup`, the stand's own by default. */
  connector(mode: string, count: number, ...rest: (string | number)[]): Running {
    return this.connectorIn(this.cgroup, mode, count, ...rest);
  }

  connectorIn(cgroup: string, mode: string, count: number, ...rest: (string | number)[]): Running {
    return this.#spawn(compiled('connector'), [cgroup, mode, String(count), ...rest.map(String)]);
  }

  /** Runs a connector to its end. */
  async attack(mode: string, count: number, ...rest: (string | number)[]): Promise<Tally> {
    return parseTally(await this.connector(mode, count, ...rest).line(/^passed/));
  }

  /** Any program, with the stand's environment; killed at the end. */
  spawn(command: string, args: readonly string[]): Running {
    return this.#spawn(command, args);
  }

  env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      KERNGATE_CGROUP_ROOT: this.cgroup,
      KERNGATE_STATE: this.state,
      KERNGATE_SOCKET: this.socket,
      KERNGATE_PIN: this.pin,
      NO_COLOR: '1',
    };
  }

  /** Ends every process, takes pins, cgroups and files away. */
  async close(): Promise<void> {
    for (const running of this.#running) await running.kill('SIGKILL');
    rmSync(this.pin, { recursive: true, force: true });
    for (const cgroup of [...this.#cgroups.reverse(), this.cgroup]) await removeCgroup(cgroup);
    rmSync(this.dir, { recursive: true, force: true });
  }

  #spawn(command: string, args: readonly string[]): Running {
    const running = new Running(spawn(command, args, { env: this.env(), stdio: ['pipe', 'pipe', 'pipe'] }));
    this.#running.push(running);
    return running;
  }
}

/** A test of anything else may block as many processes as it likes. */
const withBreaker = (config: string): string =>
  /^breaker:/m.test(config) ? config : `${config}breaker: {blocks: off, units: off}\n`;

/** Members of a cgroup that is to go are children of a fixture that died first. */
const removeCgroup = async (path: string): Promise<void> => {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      rmdirSync(path);
      return;
    } catch {
      const file = join(path, 'cgroup.procs');
      for (const pid of existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : []) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          /* gone already */
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  throw new Error(`cannot remove ${path}`);
};

/** Runs a test with a stand of its own. */
export const withStand = async (work: (stand: Stand) => Promise<void>): Promise<void> => {
  const stand = new Stand();
  try {
    await work(stand);
  } finally {
    await stand.close();
  }
};

/** Waits until `test` holds; fails with `what` after half a minute, more on a slow machine. */
export const until = async (what: string, test: () => Promise<boolean> | boolean): Promise<void> => {
  for (let attempt = 0; attempt < 600 * SLOW; attempt++) {
    if (await test()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never: ${what}`);
};

/** A burst policy with the parts a test varies. */
export const burst = ({
  name = 'burst',
  limit = 5,
  within = span(10),
  by = 'process',
  block = undefined as string | undefined,
  time = '10m',
  on = 'connect',
  extra = '',
} = {}): string => `kerngate: 1
policy: ${name}
summary: More than ${limit} within ${within}.
severity: medium
on: ${on}
${extra}detect:
  burst: {limit: ${limit}, within: ${within}, by: ${by}}
then:
  block: ${block ?? by}
  for: ${time}
`;

/** The agent as a process: prerequisites, the ready line, signals, and the way out. */

import { areMapsPinned } from '../kernel/maps.js';
import { native } from '../kernel/native.js';
import { preparePins, requireBtf, requireRoot, resolveScope, type Scope } from '../kernel/prerequisites.js';
import { removePins } from '../kernel/sensor.js';
import { counted } from '../lib/counted.js';
import type { Paths } from '../lib/paths.js';
import type { Mode } from '../model/decision.js';
import { EXIT, type ExitCode, KerngateError } from '../model/error.js';
import { Agent } from './agent.js';
import { type Config, configOf } from './config.js';
import { remember } from './fresh.js';
import { lockFile, lockPins, lockState, stateFiles } from './state.js';
import { trippedLine } from './status.js';
import { Voice } from './voice.js';

export interface RunOptions {
  readonly paths: Paths;
  /** Scope somebody named; else the configuration's, else the root. */
  readonly namedCgroup: string | undefined;
  readonly mode: Mode | undefined;
  readonly level: 'auto' | 'lsm' | 'fmod_ret' | 'cgroup';
  readonly releaseOnExit: boolean;
}

/** Runs until a signal. Throws KerngateError when the agent cannot start; then nothing has changed. */
export const runAgent = async (options: RunOptions): Promise<ExitCode> => {
  requireRoot();
  requireBtf();
  const { paths } = options;
  const config = configOf(paths);
  const scope = resolveScope(options.namedCgroup ?? config.cgroup_root);
  const forgetLock = remember([lockFile(paths.state)]);
  const unlockState = lockState(native(), paths.state);
  /* what is missing under the lock is nobody else's */
  const forgetFiles = remember([...stateFiles(paths.state), paths.auditLog]);
  const forget = (): void => {
    forgetFiles();
    forgetLock();
  };
  try {
    return await runLocked(options, config, scope, forget);
  } finally {
    unlockState();
  }
};

/** `forget` takes away what a start that is refused has made in the state folder. */
const runLocked = async (
  options: RunOptions,
  config: Config,
  scope: Scope,
  forget: () => void,
): Promise<ExitCode> => {
  const { paths } = options;
  const wasPinned = areMapsPinned(paths.pin);
  const unlockPins = undoing(forget, () => {
    preparePins(paths.pin);
    return lockPins(native(), paths.pin);
  });
  const voice = new Voice(process.stdout);
  let hangup = (): void => undefined;
  const over = untilSignal(() => hangup());
  try {
    const agent = await begin(options, config, scope, voice, wasPinned).catch((error: unknown) => {
      forget();
      throw error;
    });
    hangup = () => reload(agent);
    try {
      await over;
    } finally {
      await agent.stop(options.releaseOnExit);
    }
    return EXIT.ok;
  } finally {
    await voice.close();
    unlockPins();
  }
};

const undoing = <T>(undo: () => void, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    undo();
    throw error;
  }
};

/** An agent that never was ready leaves no hooks of its own; those of an earlier one stay in force. */
const begin = async (
  options: RunOptions,
  config: Config,
  scope: Scope,
  voice: Voice,
  wasPinned: boolean,
): Promise<Agent> => {
  const { paths } = options;
  let agent: Agent | undefined;
  try {
    agent = new Agent({ native: native(), paths, config, scope, level: options.level, voice });
    const { mode, why } = await agent.start(options.mode ?? config.mode ?? 'audit');
    announce(agent, mode, why);
    return agent;
  } catch (error) {
    await agent?.stop(false);
    if (!wasPinned) removePins(paths.pin);
    throw error;
  }
};

const announce = (agent: Agent, mode: Mode, why: string | undefined): void => {
  const names = agent.policies.all.map(({ name }) => name).join(',') || 'none';
  const facts = [
    `mode=${mode}`,
    ...(why === undefined ? [] : [why]),
    `level=${agent.level}`,
    `scope=${agent.scope.path}`,
    `policies=${names}`,
    `socket=${agent.paths.socket}`,
    ...(agent.adopted ? ['adopted'] : []),
  ];
  agent.say(`ready ${facts.join(' ')}`);
  const { tripped } = agent.state.ledger;
  if (tripped) agent.say(trippedLine(tripped));
  agent.say('see enforcement in 15 seconds: npm run demo');
  native().sdNotify(`READY=1\nSTATUS=${mode}, ${counted(agent.policies.all.length, 'policy', 'policies')}`);
};

/** Listens from before the start on: a signal that comes early must not kill an agent half made. */
const untilSignal = (hangup: () => void): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    process.on('SIGHUP', hangup);
  });

const reload = (agent: Agent): void => {
  agent.reporter.audit.reopen();
  try {
    agent.reload();
    agent.say(`reloaded ${counted(agent.policies.all.length, 'policy', 'policies')}`);
  } catch (error) {
    agent.say(
      `reload refused, the old policies stay in force: ${error instanceof KerngateError ? error.text : error}`,
    );
  }
};

/** `kerngate run`: the agent in the foreground. */

import { type PathFlags, resolvePaths } from '../lib/paths.js';
import type { Mode } from '../model/decision.js';
import type { Command } from './command.js';

interface RunOptions {
  readonly mode?: Mode;
  readonly dryRun?: boolean;
  readonly policy?: string[];
  readonly config?: string;
  readonly cgroupRoot?: string;
  readonly level?: 'auto' | 'lsm' | 'fmod_ret' | 'cgroup';
  readonly releaseOnExit?: boolean;
}

export const runCommand: Command<RunOptions> = {
  name: 'run',
  summary: 'Run the agent in the foreground, in audit mode unless told otherwise.',
  example:
    'kerngate run\nkerngate run --mode enforce --policy my.yaml --cgroup-root /sys/fs/cgroup/web.slice',
  options: [
    { flags: '--mode <mode>', help: 'What a crossing leads to.', choices: ['audit', 'enforce'] },
    { flags: '--dry-run', help: 'The same as --mode audit.' },
    { flags: '--policy <path>', help: 'Policy file or folder; replaces the configured set.', repeat: true },
    { flags: '--config <file>', help: 'Configuration file.' },
    { flags: '--cgroup-root <path>', help: 'Watch and enforce in this cgroup v2 subtree only.' },
    {
      flags: '--level <level>',
      help: 'Enforcement level; a forced one that does not hold ends with exit code 6.',
      choices: ['auto', 'lsm', 'fmod_ret', 'cgroup'],
      default: 'auto',
    },
    { flags: '--release-on-exit', help: 'Lift all blocks and detach when the agent stops.' },
  ],
  run: async ({ options, flags }) => {
    const wanted: PathFlags = {
      ...flags,
      ...(options.policy === undefined ? {} : { policy: options.policy }),
      ...(options.config === undefined ? {} : { config: options.config }),
      ...(options.cgroupRoot === undefined ? {} : { cgroupRoot: options.cgroupRoot }),
    };
    const { runAgent } = await import('../agent/run.js');
    return runAgent({
      paths: resolvePaths(wanted),
      namedCgroup: options.cgroupRoot ?? process.env.KERNGATE_CGROUP_ROOT,
      mode: options.dryRun ? 'audit' : options.mode,
      level: options.level ?? 'auto',
      releaseOnExit: options.releaseOnExit ?? false,
    });
  },
};

/** `kerngate version`: of kerngate and of what it runs on. */
import { release } from 'node:os';
import { packageVersion } from '../lib/version.js';
import type { Command } from './command.js';

export const versionCommand: Command = {
  name: 'version',
  summary: 'Print the version of kerngate, Node and the kernel.',
  example: 'kerngate version',
  run: async ({ out }) => {
    const value = { version: packageVersion(), node: process.version, kernel: release(), arch: process.arch };
    out.say(
      `kerngate ${value.version} (node ${value.node}, linux ${value.kernel}, ${value.arch})`,
      value,
      value.version,
    );
    return undefined;
  },
};

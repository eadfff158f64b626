/** `kerngate mode` and `kerngate confirm`: audit or enforce, and the promise to go back. */
import { callAgent } from '../control/client.js';
import type { Mode } from '../model/decision.js';
import { EXIT, KerngateError } from '../model/error.js';
import type { Command } from './command.js';
import { parseDuration } from './parse.js';

interface ModeOptions {
  readonly confirmWithin?: number;
}

/** Proving the new mode by a canary takes the agent a moment. */
const SWITCH_LIMIT_MS = 30_000;

const switchMode = async (socket: string, mode: Mode, within: number | undefined): Promise<Mode> => {
  const request = within === undefined ? { mode } : { mode, confirmWithinNs: within };
  const answer = await callAgent<{ mode: Mode }>(socket, 'POST', '/v1/mode', request, SWITCH_LIMIT_MS);
  return answer.mode;
};

export const modeCommand: Command<ModeOptions> = {
  name: 'mode',
  summary: 'Show or switch between audit (nothing is denied) and enforce.',
  example: 'kerngate mode\nkerngate mode enforce --confirm-within 5m',
  arguments: [{ name: '[mode]', help: 'what to switch to', choices: ['audit', 'enforce'] }],
  options: [
    {
      flags: '--confirm-within <duration>',
      help: 'with enforce: back to audit unless kerngate confirm comes in time',
      parse: parseDuration,
    },
  ],
  run: async ({ args, options, paths, out }) => {
    const wanted = args[0] as Mode | undefined;
    if (options.confirmWithin !== undefined && wanted !== 'enforce') {
      throw new KerngateError('--confirm-within goes with enforce', { exit: 'usage' });
    }
    if (wanted === undefined) {
      const { mode } = await callAgent<{ mode: Mode }>(paths.socket, 'GET', '/v1/mode');
      out.say(mode, { mode });
      return EXIT.ok;
    }
    const mode = await switchMode(paths.socket, wanted, options.confirmWithin);
    out.say(mode, { mode });
    if (options.confirmWithin !== undefined) out.note('back to audit unless you run: kerngate confirm');
    return mode === wanted ? EXIT.ok : EXIT.degraded;
  },
};

export const confirmCommand: Command = {
  name: 'confirm',
  summary: 'Keep the enforcement that mode --confirm-within started.',
  example: 'kerngate confirm',
  run: async ({ paths, out }) => {
    await callAgent(paths.socket, 'POST', '/v1/confirm');
    out.say('confirmed', { confirmed: true });
    return undefined;
  },
};

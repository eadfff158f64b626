/** `kerngate blocks`: every block in force. */
import { callAgent } from '../control/client.js';
import type { Decision } from '../model/decision.js';
import type { Command } from './command.js';
import { DECISION_COLUMNS } from './show.js';

export const blocksCommand: Command = {
  name: 'blocks',
  summary: 'List the blocks in force, with the time each has left.',
  example: 'kerngate blocks\nkerngate -o json blocks list',
  arguments: [{ name: '[list]', help: 'the same as nothing', choices: ['list'] }],
  run: async ({ paths, out }) => {
    const decisions = await callAgent<Decision[]>(paths.socket, 'GET', '/v1/decisions');
    out.list(decisions, DECISION_COLUMNS, 'nothing is blocked');
    return undefined;
  },
};

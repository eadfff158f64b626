/** `kerngate status`: mode, level, what stays open, counters, health. */
import type { ForeignProgram, Status } from '../control/api.js';
import { callAgent } from '../control/client.js';
import { EXIT } from '../model/error.js';
import type { Command } from './command.js';
import type { Field } from './output.js';

const listText = (items: readonly string[], none: string): string =>
  items.length === 0 ? none : items.join('; ');

const modeField = ({ mode, panic, confirm_until }: Status): Field => {
  if (panic) return ['mode', `${mode}, panic: nothing is denied until kerngate mode enforce`, 'red'];
  if (confirm_until !== undefined) {
    return [
      'mode',
      `${mode}, back to audit at ${confirm_until} unless kerngate confirm comes first`,
      'yellow',
    ];
  }
  return ['mode', mode, mode === 'enforce' ? 'green' : 'yellow'];
};

const foreignField = ({ program, id, cgroup, attach, how, means, blocks }: ForeignProgram): Field => [
  'foreign',
  `program ${program} (id ${id}) on ${cgroup}, ${attach}, ${how}: ${means}`,
  blocks ? 'red' : 'yellow',
];

const BREAKER_STYLE = { armed: 'green', off: 'yellow', tripped: 'red' } as const;

const breakerFields = (breaker: Status['breaker']): Field[] => {
  if (breaker === undefined) return [];
  const { state, blocks, within, units } = breaker;
  const rate = blocks === 'off' ? 'off' : `more than ${blocks} in ${within}`;
  const share = units === 'off' ? 'off' : `more than ${units}`;
  const text = state === 'off' ? 'off' : `${state}; blocks of policies: ${rate}; units hit: ${share}`;
  return [['breaker', text, BREAKER_STYLE[state]]];
};

const counterFields = ({ counters, unknown = {} }: Status): Field[] => [
  ...Object.entries(counters).map(([name, value]): Field => [`  ${name}`, value]),
  ...Object.entries(unknown).map(([name, why]): Field => [`  ${name}`, `unknown: ${why}`, 'yellow']),
];

const statusFields = (status: Status): Field[] => [
  modeField(status),
  ['level', status.level],
  ['open', listText(status.open_why, 'nothing known')],
  ['scope', status.scope],
  ['policies', status.policies],
  ['blocks', status.blocks],
  ['rate', `${status.rate.toFixed(1)} events/s`],
  ['hooks', listText([...new Set(status.hooks.map((hook) => hook.program))], 'none')],
  ['agent', `${status.version}, pid ${status.pid}, since ${status.started}`],
  ...(status.foreign ?? []).map(foreignField),
  ...breakerFields(status.breaker),
  ['degraded', listText(status.degraded, 'no'), status.degraded.length > 0 ? 'red' : 'green'],
  ...(status.notes ?? []).map((note): Field => ['note', note, 'yellow']),
  ['counters', Object.keys(status.counters).length],
  ...counterFields(status),
];

export const statusCommand: Command = {
  name: 'status',
  summary: 'Show mode, enforcement level, what it leaves open, counters and health.',
  example: 'kerngate status\nkerngate -o json status',
  run: async ({ paths, out }) => {
    const status = await callAgent<Status>(paths.socket, 'GET', '/v1/status');
    out.record(status, statusFields(status));
    return status.degraded.length > 0 || status.panic ? EXIT.degraded : EXIT.ok;
  },
};

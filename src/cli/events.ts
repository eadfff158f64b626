/** `kerngate events`: what was seen, recent or as it comes. */
import { callAgent, followAgent } from '../control/client.js';
import { type Event, SEEN_KINDS } from '../model/event.js';
import type { Command } from './command.js';
import type { Output } from './output.js';
import { parsePid, parseText } from './parse.js';
import { EVENT_COLUMNS } from './show.js';

interface EventsOptions {
  readonly follow?: boolean;
  readonly kind?: string;
  readonly pid?: number;
  readonly policy?: string;
}

const queryOf = ({ kind, pid, policy }: EventsOptions): string => {
  const query = new URLSearchParams();
  if (kind !== undefined) query.set('kind', kind);
  if (pid !== undefined) query.set('pid', String(pid));
  if (policy !== undefined) query.set('policy', policy);
  return query.size === 0 ? '' : `?${query}`;
};

/** Prints until the user interrupts (which is the normal end) or the agent goes away (which throws). */
const follow = async (socket: string, query: string, out: Output): Promise<void> => {
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  await followAgent<Event>(socket, `/v1/events/follow${query}`, out.stream(EVENT_COLUMNS), stop.signal);
};

export const eventsCommand: Command<EventsOptions> = {
  name: 'events',
  summary: 'Show recent events, or follow them as they come.',
  example: 'kerngate events --kind connect --pid 4242\nkerngate -o json events --follow | jq .dst',
  options: [
    { flags: '-f, --follow', help: 'go on until interrupted; one JSON document a line with -o json' },
    { flags: '--kind <kind>', help: 'only events of this kind', choices: SEEN_KINDS },
    { flags: '--pid <n>', help: 'only events of this process', parse: parsePid },
    { flags: '--policy <name>', help: 'only events that met a verdict of this policy', parse: parseText },
  ],
  run: async ({ options, paths, out }) => {
    const query = queryOf(options);
    if (options.follow) return follow(paths.socket, query, out).then(() => undefined);
    const events = await callAgent<Event[]>(paths.socket, 'GET', `/v1/events${query}`);
    out.list(events, EVENT_COLUMNS, 'no events');
    return undefined;
  },
};

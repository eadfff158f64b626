/** `kerngate allow`: the list of what is never blocked. */
import { callAgent } from '../control/client.js';
import type { AllowEntry } from '../model/decision.js';
import { EXIT } from '../model/error.js';
import type { Command } from './command.js';
import { parseDuration, parseReason } from './parse.js';
import { ALLOW_COLUMNS, subjectText } from './show.js';
import { parseSubject, SUBJECT_HELP } from './target.js';

interface AddOptions {
  readonly for?: number;
  readonly reason: string;
}

const SUBJECT = [{ name: '<subject>', help: SUBJECT_HELP }];

const entryText = (entry: AllowEntry): string => {
  const end = entry.until === undefined ? '' : ` until ${entry.until}`;
  return `${subjectText(entry.subject)}${end}: ${entry.reason} (${entry.by})`;
};

const listCommand: Command = {
  name: 'list',
  summary: 'Show the entries, those protected by birth too.',
  example: 'kerngate allow list',
  run: async ({ paths, out }) => {
    out.list(await callAgent<AllowEntry[]>(paths.socket, 'GET', '/v1/allow'), ALLOW_COLUMNS, 'no entries');
    return undefined;
  },
};

const addCommand: Command<AddOptions> = {
  name: 'add',
  summary: 'Never block this subject, for a while or for good.',
  example: 'kerngate allow add unit:backup.service --for 7d --reason "nightly copy"',
  arguments: SUBJECT,
  options: [
    { flags: '--for <duration>', help: 'how long; without it: until removed', parse: parseDuration },
    { flags: '--reason <text>', help: 'why, for the records', parse: parseReason, default: 'added by hand' },
  ],
  run: async ({ args, options, paths, out }) => {
    const request = {
      ...parseSubject(args[0] ?? ''),
      reason: options.reason,
      ...(options.for === undefined ? {} : { forNs: options.for }),
    };
    const entry = await callAgent<AllowEntry>(paths.socket, 'POST', '/v1/allow/add', request);
    out.say(`allowed ${entryText(entry)}`, entry);
    return undefined;
  },
};

const removeCommand: Command = {
  name: 'rm',
  summary: 'Remove entries of this subject; exit 3 when there is none.',
  example: 'kerngate allow rm unit:backup.service',
  arguments: SUBJECT,
  run: async ({ args, paths, out }) => {
    const target = parseSubject(args[0] ?? '');
    const removed = await callAgent<AllowEntry[]>(paths.socket, 'POST', '/v1/allow/remove', target);
    out.list(removed, ALLOW_COLUMNS, `no entry for ${args[0]}`);
    return removed.length === 0 ? EXIT.notFound : EXIT.ok;
  },
};

const checkCommand: Command = {
  name: 'check',
  summary: 'Show the entry that spares this subject; exit 3 when there is none.',
  example: 'kerngate allow check pid:4242',
  arguments: SUBJECT,
  run: async ({ args, paths, out }) => {
    const target = parseSubject(args[0] ?? '');
    const entry = await callAgent<AllowEntry | null>(paths.socket, 'POST', '/v1/allow/check', target);
    if (entry === null) {
      out.say(`no entry spares ${args[0]}`, null);
      return EXIT.notFound;
    }
    out.say(`spared by ${entryText(entry)}`, entry);
    return EXIT.ok;
  },
};

export const allowCommand: Command = {
  name: 'allow',
  summary: 'Show, change or ask the list of what is never blocked.',
  example: 'kerngate allow list\nkerngate allow check 203.0.113.7',
  subcommands: [listCommand, addCommand, removeCommand, checkCommand],
};

/** How a command names its target: options, or `KIND:VALUE` text. */
import type { Target } from '../control/api.js';
import { KerngateError } from '../model/error.js';
import type { OptionSpec } from './command.js';
import { isAddress, parseIp, parsePid, parseText, parseUid } from './parse.js';

/** What the never-block list can name. */
export interface AllowTarget extends Target {
  readonly exe?: string;
  readonly uid?: number;
}

/** Options that name what can be blocked. */
export const TARGET_OPTIONS: readonly OptionSpec[] = [
  { flags: '--pid <n>', help: 'the process with this id', parse: parsePid },
  { flags: '--cgroup <path>', help: 'a cgroup and all below it', parse: parseText },
  { flags: '--unit <name>', help: 'a systemd unit, over its restarts', parse: parseText },
  { flags: '--container <id>', help: 'a container', parse: parseText },
  { flags: '--ip <addr[/len]>', help: 'a remote address or network', parse: parseIp },
];

const TARGET_KEYS = ['pid', 'cgroup', 'unit', 'container', 'ip'] as const;

/** The target options that were given, and nothing else. */
export const targetOf = (options: Target): Target =>
  Object.fromEntries(TARGET_KEYS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]]])));

/** The one target given; throws (usage) when there is none or more than one. */
export const oneTarget = (options: Target): Target => {
  const target = targetOf(options);
  const count = Object.keys(target).length;
  if (count === 1) return target;
  const what = count === 0 ? 'no target given' : 'more than one target given';
  throw new KerngateError(`${what}; name exactly one of --pid, --cgroup, --unit, --container, --ip`, {
    exit: 'usage',
  });
};

type SubjectKind = (typeof TARGET_KEYS)[number] | 'exe' | 'uid';

const SUBJECT_PARSERS: Readonly<Record<SubjectKind, (text: string) => string | number>> = {
  pid: parsePid,
  cgroup: parseText,
  unit: parseText,
  container: parseText,
  ip: parseIp,
  exe: parseText,
  uid: parseUid,
};

const isSubjectKind = (text: string): text is SubjectKind => Object.hasOwn(SUBJECT_PARSERS, text);

const UNIT_NAME = /\.(?:service|scope|slice|socket)$/;

/** The kind of a subject written without one, where only one can be meant. */
const guessKind = (text: string): SubjectKind | undefined => {
  if (isAddress(text)) return 'ip';
  if (/^\d+$/.test(text)) return 'pid';
  return !text.includes('/') && UNIT_NAME.test(text) ? 'unit' : undefined;
};

/** Help for `SUBJECT`. */
export const SUBJECT_HELP =
  'pid:N, cgroup:PATH, unit:NAME, container:ID, ip:ADDR[/LEN], exe:PATH or uid:N; an address, a number (pid) and NAME.service also without the prefix';

/** `unit:nginx.service`, `exe:/usr/bin/curl`, `10.0.0.1` … to a target; throws (usage). */
export const parseSubject = (text: string): AllowTarget => {
  // No prefix is a hexadecimal number, so an IPv6 address never looks like one.
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(0, colon));
  if (isSubjectKind(kind)) return { [kind]: SUBJECT_PARSERS[kind](text.slice(colon + 1)) };
  const guessed = guessKind(text);
  if (guessed !== undefined) return { [guessed]: SUBJECT_PARSERS[guessed](text) };
  throw new KerngateError(`cannot tell what ${text} is; write one of ${SUBJECT_HELP}`, { exit: 'usage' });
};

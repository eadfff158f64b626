/** Turns what a user types into values; each parser throws KerngateError (usage) naming what it accepts. */
import { parseDuration as durationNs } from '../lib/duration.js';
import { parseCidr } from '../lib/ip.js';
import { KerngateError } from '../model/error.js';

/** Longest duration a command takes: what should hold for longer belongs into the configuration. */
const MAX_NS = 366 * 86_400e9;

const bad = (message: string): KerngateError => new KerngateError(message, { exit: 'usage' });

/** `30s`, `10m`, `4h`, `7d`, `1h30m` to nanoseconds; more than zero, at most 366 days. */
export const parseDuration = (text: string): number => {
  const ns = durationNs(text);
  if (ns === undefined) throw bad(`${text} is no duration; write for example 30s, 10m, 4h, 7d.`);
  if (ns <= 0 || ns > MAX_NS) throw bad(`${text} is out of range: more than 0 and at most 366d.`);
  return ns;
};

const integer = (text: string, least: number, most: number, what: string): number => {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw bad(`${text} is no ${what}: a number from ${least} to ${most}.`);
  }
  return value;
};

/** Process ids end at the kernel's PID_MAX_LIMIT (include/linux/threads.h). */
export const parsePid = (text: string): number => integer(text, 1, 4_194_304, 'process id');

/** The largest 32-bit id means "none" to the kernel. */
export const parseUid = (text: string): number => integer(text, 0, 4_294_967_294, 'user id');

export const isAddress = (text: string): boolean => parseCidr(text) !== undefined;

/** An IPv4 or IPv6 address, or a network in CIDR form. */
export const parseIp = (text: string): string => {
  if (isAddress(text)) return text;
  throw bad(`${text} is no IP address or network; write for example 203.0.113.7 or 2001:db8::/32.`);
};

/** Text that names something: not empty, not longer than a path may be. */
export const parseText = (text: string): string => {
  if (text.trim() === '' || Buffer.byteLength(text) > 4096) {
    throw bad('an empty or overlong text names nothing.');
  }
  return text;
};

/** Free text for the records, bounded as the agent bounds it. */
export const parseReason = (text: string): string => {
  if (text.trim() === '' || text.length > 500) throw bad('a reason has 1 to 500 characters.');
  return text;
};

/** Loads policies from files and folders; refuses what somebody else could have written. */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Policy } from '../model/policy.js';
import { separateTwins } from './order.js';
import { duplicateName, parseFile, whenEmpty } from './parse.js';
import type { Problem } from './problem.js';

export interface LoadOptions {
  /** Whose files are trusted: root's, also those of the clone's owner, or anybody's. */
  readonly checkOwner: 'root' | 'root-or-clone' | 'none';
  /** Uid of the clone's owner, for `root-or-clone`. */
  readonly cloneOwner?: number;
}

const MAX_BYTES = 4_194_304;

/**
 * The policies of files, and of folders, whose `*.yaml` are read in name order without subfolders.
 * Never throws. With any problem the caller keeps the set it has.
 */
export const loadPolicies = (
  paths: readonly string[],
  options: LoadOptions,
): { policies: Policy[]; problems: Problem[] } => {
  const policies: Policy[] = [];
  const problems: Problem[] = [];
  for (const { file, inFolder } of paths.flatMap((path) => expand(path, options, problems))) {
    const text = readTrusted(file, options, problems);
    if (text === undefined) continue;
    const parsed = parseFile(text, file);
    problems.push(...parsed.problems);
    // A file of a folder may be commented out as a whole; one that was named should hold something.
    if (!inFolder) problems.push(...whenEmpty(parsed, file));
    for (const policy of parsed.policies) addNew(policy, policies, problems);
  }
  return { policies: separateTwins(policies), problems };
};

const addNew = (policy: Policy, policies: Policy[], problems: Problem[]): void => {
  const twin = policies.find(({ name }) => name === policy.name);
  if (twin) problems.push(duplicateName(policy, twin));
  else policies.push(policy);
};

interface Entry {
  readonly file: string;
  readonly inFolder: boolean;
}

const expand = (path: string, options: LoadOptions, problems: Problem[]): Entry[] => {
  try {
    const stats = statSync(path);
    if (!stats.isDirectory()) return [{ file: path, inFolder: false }];
    const distrust = whyDistrusted(stats, options);
    if (distrust) problems.push(wholeFile(path, `this folder ${distrust}`));
    if (distrust) return [];
    const names = readdirSync(path).filter((name) => name.endsWith('.yaml') && !name.startsWith('.'));
    return names.sort().map((name) => ({ file: join(path, name), inFolder: true }));
  } catch (error) {
    problems.push(wholeFile(path, reason(error)));
    return [];
  }
};

/**
 * The text of a file whose owner and mode are trusted, else undefined and a problem. Never throws.
 * Opened first, then asked: nobody can swap the file between the question and the reading.
 */
export const readTrusted = (file: string, options: LoadOptions, problems: Problem[]): string | undefined => {
  let fd: number | undefined;
  try {
    // Without waiting for the writer of a pipe.
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    const refusal = whyRefused(stats, options);
    if (refusal === undefined) return readFileSync(fd, 'utf8');
    problems.push(wholeFile(file, refusal));
  } catch (error) {
    problems.push(wholeFile(file, reason(error)));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return undefined;
};

const whyRefused = (stats: Stats, options: LoadOptions): string | undefined => {
  if (!stats.isFile()) return 'this is not a regular file';
  if (stats.size > MAX_BYTES) return `this file is larger than ${MAX_BYTES} bytes`;
  const distrust = whyDistrusted(stats, options);
  return distrust && `this file ${distrust}`;
};

const whyDistrusted = (stats: Stats, { checkOwner, cloneOwner }: LoadOptions): string | undefined => {
  if (checkOwner === 'none') return undefined;
  const owners = checkOwner === 'root' ? [0] : [0, cloneOwner];
  if (!owners.includes(stats.uid)) {
    const who = checkOwner === 'root' ? 'root' : 'root or the owner of the clone';
    return `belongs to uid ${stats.uid}, not to ${who}: change its owner with chown`;
  }
  if ((stats.mode & 0o022) === 0) return undefined;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
  return `can be written by others (mode ${mode}): take that away with chmod go-w`;
};

const wholeFile = (file: string, message: string): Problem => ({ file, line: 1, column: 1, message });

const reason = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file or folder';
  return code === 'EACCES' ? 'this cannot be read: permission denied' : `this cannot be read: ${message}`;
};

/** Keeps the kernel's list of AF_UNIX sockets that are treated apart: brokers, and those that take log lines. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KG_LOCAL, KG_UNIX_NAME_SIZE } from '../abi/generated.js';
import { fileIdOf } from '../kernel/executable.js';
import type { Maps } from '../kernel/maps.js';
import type { Config } from './config.js';

/**
 * Who acts on behalf of others is reached by a path, and compared by its file: a service that is started anew makes
 * a new one, so this is called again and again. What takes log lines is believed by its file only, since anybody
 * may bind a socket of any name in a mount namespace of his own.
 */
export const installLocals = (maps: Maps, { brokers, logs }: Config['locals']): void => {
  const wanted = new Map(
    [...filesOf(brokers, KG_LOCAL.BROKER), ...filesOf(logs, KG_LOCAL.LOG)].map((file) => [idOf(file), file]),
  );
  for (const key of maps.locals.keys()) if (!wanted.has(idOf(key))) maps.locals.delete(key);
  for (const { ino, dev, local } of wanted.values()) {
    if (maps.locals.get({ ino, dev }) !== local) maps.locals.set({ ino, dev }, local);
  }
  installNames(maps, logs);
};

/** By the names the hooks of level cgroup see: what a caller gives, as written. */
const installNames = ({ logNames }: Maps, names: readonly string[]): void => {
  const wanted = new Map(names.map((name) => [name, { path: nameBytes(name) }]));
  for (const key of logNames.keys()) {
    const name = Buffer.from(key.path).toString().split('\0')[0] ?? '';
    if (!wanted.delete(name)) logNames.delete(key);
  }
  for (const key of wanted.values()) logNames.set(key, KG_LOCAL.LOG);
};

const nameBytes = (name: string): Uint8Array => {
  const bytes = new Uint8Array(KG_UNIX_NAME_SIZE);
  bytes.set(Buffer.from(name).subarray(0, KG_UNIX_NAME_SIZE - 1));
  return bytes;
};

const idOf = ({ ino, dev }: { ino: bigint; dev: number }): string => `${dev}:${ino}`;

const filesOf = (paths: readonly string[], local: number) =>
  paths.flatMap(expand).flatMap((path) => {
    const file = fileIdOf(path);
    return file ? [{ ...file, local }] : [];
  });

/** One `*` may stand for a folder: /run/user/*\/bus. */
const expand = (path: string): string[] => {
  const at = path.indexOf('/*/');
  if (at < 0) return [path];
  try {
    return readdirSync(path.slice(0, at)).map((name) => join(path.slice(0, at), name, path.slice(at + 3)));
  } catch {
    return []; /* nobody is logged in */
  }
};

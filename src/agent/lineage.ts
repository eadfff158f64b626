/** Lineages that began before the agent: launchers by their files, and a root for each living process. */

import { fileIdOf } from '../kernel/executable.js';
import type { Maps } from '../kernel/maps.js';
import { lineageSeeds, readExe, readStat } from '../lib/proc.js';

export const installLaunchers = (maps: Maps, paths: readonly string[]): void => {
  const wanted = new Map(
    paths.flatMap((path) => {
      const file = fileIdOf(path);
      return file ? [[`${file.dev}:${file.ino}`, file] as const] : [];
    }),
  );
  for (const key of maps.launchers.keys()) {
    if (!wanted.delete(`${key.dev}:${key.ino}`)) maps.launchers.delete(key);
  }
  for (const { ino, dev } of wanted.values()) maps.launchers.set({ ino, dev }, 1);
};

/**
 * Seeds what no fork hook saw. What the kernel has written itself is right and stays: a process it knows
 * was forked under its eyes. Entries of the dead go.
 */
export const seedLineages = (maps: Maps, launchers: readonly string[]): void => {
  const paths = new Set(launchers);
  const seeds = lineageSeeds((pid) => paths.has(readExe(pid)));
  for (const key of maps.lineage.keys()) {
    if (readStat(key.tgid)?.startTick !== Number(key.tick)) maps.lineage.delete(key);
  }
  for (const [id, root] of seeds) {
    const [pid, tick] = id.split('@').map(Number);
    if (pid === undefined || tick === undefined) continue;
    const parent = readStat(readStat(pid)?.ppid ?? 0);
    const value = {
      tgid: root.pid,
      tick: BigInt(root.startTick),
      parent_tgid: parent?.pid ?? 0,
      parent_tick: BigInt(parent?.startTick ?? 0),
      anchor_tgid: 0,
      anchor_tick: 0n,
      epoch: 0,
    };
    try {
      maps.lineage.set({ tgid: pid, tick: BigInt(tick) }, value, 1);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
  }
};

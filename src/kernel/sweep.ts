/**
 * Frees what no exit freed: windows of subjects that are no processes, of rules that are gone, and of
 * processes whose end nobody saw. A window that only lies idle stays until the map is crowded: between
 * this look and the deletion an attempt could still be counted in it.
 */
import { KG_SUBJECT_KIND, KG_VERDICT_KIND, type KgWindow, type KgWindowKey } from '../abi/generated.js';
import type { KernelRule } from '../model/policy.js';
import type { Maps } from './maps.js';

export interface Swept {
  readonly windows: number;
  readonly shared: number;
}

/** `crowded`: idle windows go too. `isAlive` tells whether a process with this pid and start tick lives. */
export const sweepWindows = (
  maps: Maps,
  rules: readonly KernelRule[],
  nowNs: number,
  crowded: boolean,
  isAlive: (pid: number, startTick: number) => boolean,
): Swept => {
  const spans = new Map(rules.map((rule) => [BigInt(`0x${rule.hash}`), BigInt(rule.withinNs)]));
  const now = BigInt(Math.round(nowNs));
  const idle = (key: KgWindowKey, window: KgWindow): boolean => {
    const span = spans.get(key.rule);
    if (window.verdict !== KG_VERDICT_KIND.NONE && window.until_ns > now) return false;
    return span === undefined || (crowded && window.touched_ns + span < now);
  };
  const dead = ({ who }: KgWindowKey): boolean =>
    who.kind === KG_SUBJECT_KIND.PROCESS && !isAlive(Number(who.a), Number(who.b));
  let windows = 0;
  for (const [key, window] of maps.windows.entries()) {
    if (!dead(key) && !idle(key, window)) continue;
    if (!maps.windows.delete(key)) continue;
    windows++;
    if (window.cgroup !== 0n) credit(maps, window);
  }
  let shared = 0;
  for (const [key, window] of maps.shared.entries()) {
    if (idle(key, window) && maps.shared.delete(key)) shared++;
  }
  return { windows, shared };
};

/** The kernel counts what it made and what ended; what is swept here is told it through a map of its own. */
const credit = (maps: Maps, window: KgWindow): void => {
  for (const key of [
    { id: window.cgroup, kind: KG_SUBJECT_KIND.CGROUP },
    { id: BigInt(window.uid), kind: KG_SUBJECT_KIND.USER },
  ]) {
    maps.swept.set(key, (maps.swept.get(key) ?? 0n) + 1n);
  }
};

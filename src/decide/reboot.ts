/** Carries the ledger's state over a reboot: only what still means the same, never for longer than before. */
import type { SubjectKind } from '../model/subject.js';
import type { Held } from './live-table.js';
import { outlivesBoot, type Stamp } from './record.js';
import type { LedgerState } from './state.js';

/** Wall time of the moment a boot's clock stood at 0, in ns; exact enough for an expiry. */
const zeroNs = (stamp: Stamp): number => Date.parse(stamp.at) * 1e6 - stamp.at_ns;

const kindOf = (key: string): SubjectKind => key.slice(0, key.indexOf(':')) as SubjectKind;

/**
 * `last` is the latest record of the old boot, `first` the first of the new one. What was left is
 * reckoned in wall time; a clock set back meanwhile cannot stretch it beyond what was left at `last`.
 */
export const rebase = (state: LedgerState, last: Stamp, first: Stamp): void => {
  const deltaNs = zeroNs(last) - zeroNs(first);
  const moved = (ns: number): number => Math.min(ns + deltaNs, first.at_ns + Math.max(0, ns - last.at_ns));
  for (const held of [...state.live.values()]) {
    state.live.remove(held.entry.id);
    const next = { ...held, entry: restored(held, moved, first) };
    if (!outlivesBoot(held.entry.subject)) state.forget(held);
    else if (next.entry.untilNs > first.at_ns) state.live.put(next);
    else state.close(next, next.entry.untilNs);
  }
  for (const [key, { entry, untilNs }] of [...state.allow]) {
    if (!outlivesBoot(entry.subject)) state.allow.delete(key);
    else state.allowed(entry, moved(untilNs));
  }
  state.strikes.rebase((key) => outlivesBoot({ kind: kindOf(key) }), deltaNs);
  // The kernel's entries and latches fell with the old boot; nothing of it can be met again.
  state.tombstones.clear();
  state.demotedNs = -1;
};

/** A window's verdict fell with the kernel: the agent enforces what is left of it. */
const restored = ({ entry }: Held, moved: (ns: number) => number, first: Stamp) => ({
  ...entry,
  sinceNs: Math.min(first.at_ns, Math.max(0, moved(entry.sinceNs))),
  untilNs: moved(entry.untilNs),
  pushed: false,
  enforced_by: entry.enforced_by === 'kernel' ? ('agent' as const) : entry.enforced_by,
});

/** What must work without the agent: unblock and panic, on the pinned maps, remembered in the journal. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KG_VERDICT_KIND } from '../abi/generated.js';
import type { UnblockFilter } from '../control/api.js';
import { appendOffline, readJournal } from '../decide/journal-offline.js';
import type { Lift } from '../decide/record.js';
import { clearWindows, hex64, type KernelEntry, setEntries, windowEntries } from '../kernel/entries.js';
import { areMapsPinned, closeMaps, type Maps, pinnedMaps } from '../kernel/maps.js';
import { native } from '../kernel/native.js';
import { requireRoot, resolveScope, type Scope } from '../kernel/prerequisites.js';
import { cgroupOf } from '../lib/cgroup-tree.js';
import { bootId } from '../lib/proc.js';
import type { Decision, LedgerEntry } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { parseProcessId, subjectKey } from '../model/subject.js';
import { hostClock } from './clock.js';
import { RULES_FILE } from './policies.js';
import { cgroupPath, subjectOfTarget } from './targets.js';

interface OfflinePaths {
  readonly pin: string;
  readonly state: string;
}

/** Sets the latch first, so the host is open even if something after it fails. */
export const offlinePanic = async ({ pin, state }: OfflinePaths): Promise<{ lifted: number }> => {
  requireRoot();
  let lifted = 0;
  if (areMapsPinned(pin)) {
    const maps = pinnedMaps(native(), pin);
    try {
      maps.control.set('PANIC', 1);
      lifted = clearAll(maps);
    } finally {
      closeMaps(maps);
    }
  }
  remember(state, { kind: 'panic' });
  return { lifted };
};

const clearAll = (maps: Maps): number => {
  const live = liveEntries(maps);
  take(maps, new Set(live.map(({ decision }) => decision)));
  return new Set(live.map(({ decision }) => decision)).size;
};

/** Lifts what the filter names; idempotent. Throws KerngateError (notFound) for an id that never was. */
export const offlineUnblock = async (paths: OfflinePaths, filter: UnblockFilter): Promise<Decision[]> => {
  requireRoot();
  const known = journalDecisions(paths.state);
  if (!areMapsPinned(paths.pin)) return answer(filter, [], known);
  const maps = pinnedMaps(native(), paths.pin);
  try {
    const matches = matcherOf(filter, known, rulesOf(paths.state));
    const found = liveEntries(maps).filter(matches);
    take(maps, new Set(found.map(({ decision }) => decision)));
    const lift = liftOf(filter, found);
    remember(paths.state, { kind: 'unblock', ...lift });
    return answer(filter, found, known);
  } finally {
    closeMaps(maps);
  }
};

const liveEntries = (maps: Maps): KernelEntry[] => {
  const nowNs = native().bootNs();
  return [...setEntries(maps, nowNs), ...windowEntries(maps, nowNs)].filter(
    ({ verdict }) => verdict !== 'allow',
  );
};

/** Takes decisions out of the kernel; in force when it returns. */
const take = (maps: Maps, decisions: ReadonlySet<string>): void => {
  for (const [key, value] of maps.verdicts.entries()) {
    if (value.verdict !== KG_VERDICT_KIND.ALLOW && decisions.has(hex64(value.decision)))
      maps.verdicts.delete(key);
  }
  clearWindows(maps, decisions);
};

/** A panic or unblock that cannot be written down holds in the kernel all the same; the error says so. */
const remember = (state: string, body: { kind: 'panic' } | ({ kind: 'unblock' } & Lift)): void => {
  const clock = hostClock(native());
  const at_ns = clock.bootNs();
  const record = { boot: bootId(), at: clock.wall(at_ns), at_ns, ...body };
  appendOffline(state, record, (fd) => native().flock(fd, 'exclusive', true));
};

const journalDecisions = (state: string): Map<string, LedgerEntry> => {
  const entries = readJournal(state).flatMap((record) => (record.kind === 'block' ? [record.entry] : []));
  return new Map(entries.map((entry) => [entry.id, entry]));
};

/** Policy names by rule hash, as the last agent left them; for crossings no journal line tells of. */
const rulesOf = (state: string): Record<string, string> => {
  try {
    return JSON.parse(readFileSync(join(state, RULES_FILE), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
};

const matcherOf = (
  filter: UnblockFilter,
  known: ReadonlyMap<string, LedgerEntry>,
  rules: Readonly<Record<string, string>>,
): ((entry: KernelEntry) => boolean) => {
  if (filter.all) return () => true;
  if (filter.id !== undefined) return ({ decision }) => decision === filter.id;
  if (filter.policy !== undefined) {
    return ({ decision, rule }) => (known.get(decision)?.policy ?? rules[rule]) === filter.policy;
  }
  if (filter.pid !== undefined) {
    const { pid } = filter;
    return ({ subject, decision }) =>
      parseProcessId(subject.id)?.pid === pid ||
      parseProcessId(known.get(decision)?.subject.id ?? '')?.pid === pid;
  }
  return groupMatcher(filter, known, resolveScope(undefined));
};

/** A group and its members. A unit's decision lies on cgroups; the journal knows what they stand for. */
const groupMatcher = (
  filter: UnblockFilter,
  known: ReadonlyMap<string, LedgerEntry>,
  scope: Scope,
): ((entry: KernelEntry) => boolean) => {
  const wanted = subjectOfTarget(filter, scope);
  const path = filter.cgroup === undefined ? undefined : cgroupPath(filter.cgroup, scope);
  return ({ subject, decision }) => {
    const named = known.get(decision)?.subject ?? subject;
    if (subjectKey(named) === subjectKey(wanted) || subjectKey(subject) === subjectKey(wanted)) return true;
    const process = subject.kind === 'process' ? parseProcessId(subject.id) : undefined;
    const at = process && path !== undefined ? cgroupOf(process.pid) : undefined;
    return at !== undefined && (at === path || at.startsWith(`${path}/`));
  };
};

const liftOf = (filter: UnblockFilter, found: readonly KernelEntry[]): Lift => {
  if (filter.all) return { all: true };
  if (filter.policy !== undefined) return { policies: [filter.policy], ids: idsOf(found) };
  const ids = new Set([...idsOf(found), ...(filter.id === undefined ? [] : [filter.id])]);
  return { ids: [...ids], subjects: [...new Set(found.map(({ subject }) => subjectKey(subject)))] };
};

const idsOf = (found: readonly KernelEntry[]): string[] => [
  ...new Set(found.map(({ decision }) => decision)),
];

const answer = (
  filter: UnblockFilter,
  found: readonly KernelEntry[],
  known: ReadonlyMap<string, LedgerEntry>,
): Decision[] => {
  if (found.length === 0 && filter.id !== undefined && !known.has(filter.id)) {
    throw new KerngateError(`there is no decision ${filter.id}`, {
      exit: 'notFound',
      remedy: 'Without the agent, lift by --pid, --cgroup, --unit, --policy or --all.',
    });
  }
  const byId = new Map(found.map((entry) => [entry.decision, entry]));
  return [...byId.values()].map((entry) => shown(entry, known.get(entry.decision)));
};

const shown = (entry: KernelEntry, known: LedgerEntry | undefined): Decision => {
  const clock = hostClock(native());
  return {
    id: entry.decision,
    at: clock.wall(entry.sinceNs),
    subject: known?.subject ?? { ...entry.subject, name: entry.subject.id },
    action: 'deny',
    mode: entry.verdict === 'deny' ? 'enforce' : 'audit',
    enforced_by: entry.pushed ? 'kernel' : 'agent',
    level: known?.level ?? 'cgroup',
    policy: known?.policy ?? 'unknown',
    reason: known?.reason ?? 'decided in the kernel',
    by: known?.by ?? 'policy',
    until: clock.wall(entry.untilNs),
    hits: entry.hits,
    deny: known?.deny ?? 'new',
  };
};

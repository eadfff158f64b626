/** Merges what the kernel holds at the agent's start with what the journal says. */
import { isHexId, ZERO_ID } from '../lib/hex-id.js';
import { type DenyScope, type LedgerEntry, type Level, type Mode, weaker } from '../model/decision.js';
import { type Subject, subjectKey } from '../model/subject.js';
import type { Trip } from './breaker.js';
import { type Core, OPERATOR } from './core.js';
import type { Held } from './live-table.js';
import type { RecordBody } from './record.js';
import { isFull } from './rule-on.js';

/** One live audit or deny found in the kernel; allow entries are not handed over. */
export interface KernelEntry {
  /** `window`: set by a pushed-down rule; `verdict`: written by an agent. */
  readonly from: 'window' | 'verdict';
  readonly id: string;
  readonly subject: Subject;
  readonly rule: string;
  readonly mode: Mode;
  readonly level: Level;
  readonly sinceNs: number;
  readonly untilNs: number;
  readonly hits: number;
  /** 0: none yet. */
  readonly lastNs: number;
  readonly deny: DenyScope;
  /** Name of the policy in force whose rule it is; absent: no such policy, or the operator's. */
  readonly policy?: string;
  /** Of that policy. */
  readonly sever?: boolean;
}

export interface Adoption {
  /** Decisions the journal did not know. */
  readonly adopted: readonly LedgerEntry[];
  /** Pushed decisions of the journal that the kernel no longer holds. */
  readonly ended: readonly LedgerEntry[];
  /** Entries that must go: lifted while no agent ran, of no rule in force, or on a protected subject. */
  readonly removeFromKernel: readonly KernelEntry[];
  /** What the hooks decided by themselves was too much. */
  readonly trip?: Trip;
}

/** For a window the kernel is right, for a verdict the journal; what was lifted stays lifted. */
export const adopt = (core: Core, entries: readonly KernelEntry[]): Adoption => {
  const nowNs = core.book.clock.bootNs();
  const live = entries.filter(({ untilNs }) => untilNs > nowNs);
  const removeFromKernel = live.filter((found) => mustGo(core, found));
  const going = new Set(removeFromKernel);
  // A unit's decision may lie on several cgroups: one id, several entries.
  const staying = new Map(live.filter((found) => !going.has(found)).map((found) => [found.id, found]));
  const { bodies, adopted } = merge(core, [...staying.values()], nowNs);
  const ended = vanished(core, staying, nowNs);
  if (ended.length > 0) bodies.push({ kind: 'end', ids: ended.map(({ id }) => id), why: 'gone' });
  if (bodies.length > 0) core.book.commit(...bodies);
  const trip = tripOf(core, adopted);
  return { adopted, ended, removeFromKernel, ...(trip && { trip }) };
};

/** The crossings whose records were lost count like those that came. */
const tripOf = (core: Core, adopted: readonly LedgerEntry[]): Trip | undefined => {
  const denies = adopted.filter(({ by, pushed, mode }) => by === 'policy' && pushed && mode === 'enforce');
  denies.sort((a, b) => a.sinceNs - b.sinceNs);
  return denies
    .map((entry) => core.breaker.note(core.book.state.live, entry))
    .find((trip) => trip !== undefined);
};

const merge = (core: Core, staying: readonly KernelEntry[], nowNs: number) => {
  const { live } = core.book.state;
  const adopted: LedgerEntry[] = [];
  const bodies: RecordBody[] = [];
  for (const found of staying) {
    const known = live.get(found.id);
    // What is adopted in this turn is not in the state yet. The kernel enforces the surplus all the same.
    if (!known && (isFull(core, nowNs) || live.size + adopted.length >= core.limits.live)) {
      core.counts.overflow++;
      continue;
    }
    const held = merged(core, found, known);
    if (held) bodies.push({ kind: 'block', ...held });
    if (held && !known) adopted.push(held.entry);
  }
  return { bodies, adopted };
};

const mustGo = (core: Core, found: KernelEntry): boolean => {
  const { state } = core.book;
  const { id, policy, sinceNs, subject } = found;
  const isLive = state.live.get(id) !== undefined;
  if (found.from === 'verdict' && isLive) return false;
  if (!isHexId(id) || id === ZERO_ID) return true;
  if (found.from === 'window' && policy === undefined) return true;
  if (found.from === 'verdict' && state.ended.has(id)) return true;
  if (!isLive && state.tombstones.covers({ id, key: subjectKey(subject), policy, sinceNs })) return true;
  return core.guardrails.check(subject) !== undefined;
};

/** The decision as it is now to be known; undefined when nothing but its hits is new. */
const merged = (core: Core, found: KernelEntry, known: Held | undefined): Held | undefined => {
  if (known === undefined) return fromKernel(core, found);
  noteHits(core, found.id, found.hits, found.lastNs);
  const { entry } = known;
  if (found.from === 'verdict') return undefined;
  const mode = weaker(entry.mode, found.mode);
  const isSame = entry.pushed && entry.sinceNs === found.sinceNs && entry.untilNs === found.untilNs;
  if (isSame && entry.mode === mode) return undefined;
  return { ...known, entry: { ...entry, ...times(core, found), mode, pushed: true, enforced_by: 'kernel' } };
};

const times = ({ book: { clock } }: Core, { sinceNs, untilNs }: KernelEntry) => ({
  at: clock.wall(sinceNs),
  until: clock.wall(untilNs),
  sinceNs,
  untilNs,
});

const fromKernel = (core: Core, found: KernelEntry): Held => {
  const { state, clock } = core.book;
  const isWindow = found.from === 'window';
  const policy = found.policy ?? (found.rule === ZERO_ID ? OPERATOR : 'unknown');
  const entry: LedgerEntry = {
    id: found.id,
    subject: found.subject,
    action: 'deny',
    mode: state.panicked || found.sinceNs <= state.demotedNs ? 'audit' : found.mode,
    enforced_by: isWindow ? 'kernel' : 'agent',
    level: found.level,
    policy,
    reason: 'found in the kernel when the agent started',
    by: found.rule === ZERO_ID ? 'operator' : 'policy',
    hits: found.hits,
    deny: found.deny,
    ...(found.sever && { sever: true }),
    rule: found.rule,
    pushed: isWindow,
    ...times(core, found),
    ...(found.lastNs > 0 && { last_hit: clock.wall(found.lastNs) }),
  };
  return { entry, strike: state.strikes.of(subjectKey(found.subject), policy, found.sinceNs) };
};

const vanished = (
  { book: { state } }: Core,
  seen: ReadonlyMap<string, unknown>,
  nowNs: number,
): LedgerEntry[] =>
  [...state.live.values()]
    .map(({ entry }) => entry)
    .filter((entry) => entry.pushed && entry.untilNs > nowNs && !seen.has(entry.id));

/** Counts of the kernel only grow; an older reading changes nothing. */
export const noteHits = (
  { book: { state, clock } }: Core,
  id: string,
  hits: number,
  lastNs: number,
): void => {
  const entry = state.live.get(id)?.entry;
  if (entry === undefined || hits <= entry.hits) return;
  entry.hits = hits;
  if (lastNs > 0) entry.last_hit = clock.wall(lastNs);
};

/** What must work without the agent: unblock and panic, on the pinned maps, remembered in the journal. */
import { mkdirSync, readFileSync } from 'node:fs';
import { KG_VERDICT_KIND } from '../abi/generated.js';
import type { UnblockFilter } from '../control/api.js';
import type { KernelEntry as LedgerKernelEntry } from '../decide/adopt.js';
import { AllowList } from '../decide/allow-list.js';
import { Book } from '../decide/book.js';
import { Guardrails } from '../decide/guardrails.js';
import { appendOffline, readJournal, type Tombstone } from '../decide/journal-offline.js';
import { Ledger } from '../decide/ledger.js';
import { type JournalRecord, NO_JOURNAL } from '../decide/record.js';
import { thawAll } from '../enforce/freeze.js';
import {
  clearWindows,
  hex64,
  type KernelEntry,
  noteLifted,
  setEntries,
  windowEntries,
} from '../kernel/entries.js';
import { pinnedLevel } from '../kernel/guard.js';
import { areMapsPinned, closeMaps, latchPanic, type Maps, pinnedMaps } from '../kernel/maps.js';
import { native } from '../kernel/native.js';
import { requireRoot, resolveScope } from '../kernel/prerequisites.js';
import { ZERO_ID } from '../lib/hex-id.js';
import { bootId } from '../lib/proc.js';
import type { Decision } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { hostClock } from './clock.js';
import { Host } from './host.js';
import { rulesPath } from './policies.js';
import { liftFilterOf } from './targets.js';

interface OfflinePaths {
  readonly pin: string;
  readonly state: string;
}

/** Sets the latch first, so the host is open even if something after it fails. */
export const offlinePanic = async ({ pin, state }: OfflinePaths): Promise<{ lifted: number }> => {
  requireRoot();
  let lifted = 0;
  try {
    if (areMapsPinned(pin)) {
      latchPanic(native(), pin);
      lifted = withPinned(pin, clearAll);
    }
    const atNs = native().bootNs();
    remember(state, { ...stamp(atNs), kind: 'panic' });
  } finally {
    requireThawed(thawAll(state));
  }
  return { lifted };
};

const requireThawed = (failures: readonly string[]): void => {
  if (failures.length === 0) return;
  throw new KerngateError(failures.join('; '), { remedy: 'Write 0 into cgroup.freeze there.' });
};

const withPinned = <T>(pin: string, work: (maps: Maps) => T): T => {
  const maps = pinnedMaps(native(), pin);
  try {
    return work(maps);
  } finally {
    closeMaps(maps);
  }
};

const clearAll = (maps: Maps): number => {
  const decisions = new Set(liveEntries(maps).map(({ decision }) => decision));
  take(maps, decisions);
  return decisions.size;
};

/**
 * Lifts what the filter names, by the ledger's own rules; idempotent. Also without pins, as after a
 * reboot: the next agent would restore what is not taken back in the journal. Throws KerngateError
 * (notFound) for an id that never was; then nothing has changed.
 */
export const offlineUnblock = async (paths: OfflinePaths, filter: UnblockFilter): Promise<Decision[]> => {
  requireRoot();
  const lifted = areMapsPinned(paths.pin)
    ? withPinned(paths.pin, (maps) => lift(paths, filter, maps))
    : lift(paths, filter, undefined);
  const ids = new Set([filter.id, ...lifted.map(({ id }) => id)]);
  requireThawed(thawAll(paths.state, (id) => filter.all === true || ids.has(id)));
  return lifted;
};

const lift = (paths: OfflinePaths, filter: UnblockFilter, maps: Maps | undefined): Decision[] => {
  const written: JournalRecord[] = [];
  const { ledger, isMember, stale } = ledgerOf(paths, maps, written);
  const shown = new Map(ledger.list().map((decision) => [decision.id, decision]));
  const lifted = ledger.unblock(
    liftFilterOf(filter, ledger.entries(), resolveScope(undefined)),
    maps && isMember,
  );
  if (maps) {
    take(maps, new Set([...stale, ...lifted.map(({ id }) => id)]));
    noteLifted(maps, native().bootNs());
  }
  for (const record of written) if (record.kind === 'unblock') remember(paths.state, record);
  return lifted.flatMap(({ id }) => shown.get(id) ?? []);
};

/** The ledger as the next agent would find it; `written` gets what it would write down. */
const ledgerOf = ({ pin, state }: OfflinePaths, maps: Maps | undefined, written: JournalRecord[]) => {
  const book = new Book({
    clock: hostClock(native()),
    bootId: bootId(),
    journal: { ...NO_JOURNAL, append: (records) => void written.push(...records) },
    history: readJournal(state),
  });
  const allow = new AllowList(book);
  const scope = resolveScope(undefined);
  const host = new Host(maps, scope);
  const ledger = new Ledger(book, new Guardrails(host, allow));
  ledger.level = pinnedLevel(pin);
  const rules = rulesOf(state);
  const live = maps === undefined ? [] : liveEntries(maps);
  const { removeFromKernel } = ledger.adopt(live.map((entry) => told(entry, rules)));
  return {
    ledger,
    isMember: host.isMember.bind(host),
    stale: removeFromKernel.map(({ id }) => id),
  };
};

/** Policy names by rule hash, as the last agent left them; for crossings no journal line tells of. */
const rulesOf = (state: string): Record<string, string> => {
  try {
    return JSON.parse(readFileSync(rulesPath(state), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
};

const told = (entry: KernelEntry, rules: Readonly<Record<string, string>>): LedgerKernelEntry => ({
  ...entry,
  from: entry.pushed ? 'window' : 'verdict',
  id: entry.decision,
  subject: { ...entry.subject, name: entry.subject.id },
  mode: entry.verdict === 'deny' ? 'enforce' : 'audit',
  level: 'cgroup',
  ...(entry.rule === ZERO_ID ? {} : { policy: rules[entry.rule] ?? 'unknown' }),
});

const liveEntries = (maps: Maps): KernelEntry[] => {
  const nowNs = native().bootNs();
  return [...setEntries(maps, nowNs), ...windowEntries(maps, nowNs)].filter(
    ({ verdict }) => verdict !== 'allow',
  );
};

/** A tree that forks faster than it can be walked so often is left to the next command. */
const PASSES = 64;

const takeOnce = (maps: Maps, decisions: ReadonlySet<string>): number =>
  maps.verdicts
    .entries()
    .filter(
      ([, { verdict, decision }]) => verdict !== KG_VERDICT_KIND.ALLOW && decisions.has(hex64(decision)),
    )
    .filter(([key]) => maps.verdicts.delete(key)).length;

/** Takes decisions out of the kernel; in force when it returns. */
const take = (maps: Maps, decisions: ReadonlySet<string>): void => {
  /* a child born meanwhile has its mother's entry: once a pass finds none, nobody is left to pass one on */
  for (let pass = 0; pass < PASSES && takeOnce(maps, decisions) > 0; pass++);
  clearWindows(maps, decisions);
};

const stamp = (at_ns: number) => ({ boot: bootId(), at: hostClock(native()).wall(at_ns), at_ns });

/** A panic or unblock that cannot be written down holds in the kernel all the same; the error says so. */
const remember = (state: string, record: Tombstone): void => {
  mkdirSync(state, { recursive: true, mode: 0o700 });
  appendOffline(state, record, patientLock);
};

const LOCK_TRIES = 40;
const LOCK_PAUSE_MS = 50;

/** An agent that was stopped in the middle of a write must not hang the command that opens the host. */
const patientLock = (fd: number): void => {
  for (let tries = 1; ; tries++) {
    try {
      native().flock(fd, 'exclusive', false);
      return;
    } catch (cause) {
      if (tries < LOCK_TRIES) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_PAUSE_MS);
      else throw new KerngateError('somebody holds its lock', { cause });
    }
  }
};

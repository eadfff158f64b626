/** The live verdicts the kernel holds, as the ledger reads them at start and while it reconciles. */
import { KG_REACH, KG_VERDICT_KIND, type KgWindow, type KgWindowKey } from '../abi/generated.js';
import type { DenyScope } from '../model/decision.js';
import type { Subject } from '../model/subject.js';
import type { FileId } from './executable.js';
import type { Maps } from './maps.js';
import type { NativeError } from './native.js';
import { decodeSubject } from './subject-codec.js';
import { FLAG } from './typed-map.js';

export const hex64 = (value: bigint): string => value.toString(16).padStart(16, '0');
export const fromHex64 = (text: string): bigint => BigInt(`0x${text}`);
/** `until` of an entry without end. */
export const NO_END = 2n ** 64n - 1n;

/** Upper half of the decision ids of canaries, which are nobody's block. */
const CANARY = 0xca4a_7000n;
export const canaryId = (pid: number): bigint => (CANARY << 32n) | BigInt(pid);
export const isCanary = (decision: bigint): boolean => decision >> 32n === CANARY;

/** One verdict in the kernel. Times are nanoseconds since boot. */
export interface KernelEntry {
  readonly subject: Pick<Subject, 'kind' | 'id'>;
  readonly verdict: 'audit' | 'deny' | 'allow';
  readonly decision: string;
  readonly rule: string;
  readonly sinceNs: number;
  readonly untilNs: number;
  readonly hits: number;
  readonly lastNs: number;
  readonly deny: DenyScope;
  /** Set by the hook itself when a limit was crossed. */
  readonly pushed: boolean;
  /** The window of a whole cgroup that stood in while the map was full. */
  readonly shared: boolean;
}

export const REACH: Readonly<Record<DenyScope, number>> = {
  new: KG_REACH.NEW,
  all: KG_REACH.ALL,
  isolate: KG_REACH.ISOLATE,
};
const denyOf = (reach: number): DenyScope =>
  reach === KG_REACH.ISOLATE ? 'isolate' : reach === KG_REACH.ALL ? 'all' : 'new';

const VERDICT: Readonly<Record<number, KernelEntry['verdict']>> = {
  [KG_VERDICT_KIND.AUDIT]: 'audit',
  [KG_VERDICT_KIND.DENY]: 'deny',
  [KG_VERDICT_KIND.ALLOW]: 'allow',
};

/** Guards ask nobody unless some entry reaches their way, so this comes before the entry. */
export const raiseReach = (maps: Maps, reach: number): void => {
  if (maps.control.number('REACH') < reach) maps.control.set('REACH', reach);
};

/**
 * Blocks were lifted: sockets they had barred are free, also those whose process has ended. What another block had
 * barred is so again at its next packet.
 */
export const noteLifted = (maps: Maps, nowNs: number): void => {
  maps.control.set('LIFTED', Math.round(nowNs));
};

/** A deny set before the last switch to audit counts as audit, as in the hook. */
const effective = (maps: Maps, verdict: number, since: bigint): KernelEntry['verdict'] | undefined => {
  const kind = VERDICT[verdict];
  return kind === 'deny' && since <= maps.control.get('DEMOTED') ? 'audit' : kind;
};

export type PathOf = (file: FileId) => string | undefined;

/** Verdicts of kg_verdicts that have not ended at `nowNs`. */
export const setEntries = (maps: Maps, nowNs: number, pathOf?: PathOf): KernelEntry[] =>
  maps.verdicts.entries().flatMap(([key, value]): KernelEntry[] => {
    const subject = decodeSubject(key, pathOf);
    const verdict = effective(maps, value.verdict, value.since_ns);
    if (!subject || !verdict || Number(value.until_ns) <= nowNs || isCanary(value.decision)) return [];
    return [
      {
        subject,
        verdict,
        decision: hex64(value.decision),
        rule: hex64(value.rule),
        sinceNs: Number(value.since_ns),
        untilNs: value.until_ns === NO_END ? Number.POSITIVE_INFINITY : Number(value.until_ns),
        hits: Number(value.hits),
        lastNs: Number(value.last_ns),
        deny: denyOf(value.reach),
        pushed: false,
        shared: false,
      },
    ];
  });

/** Verdicts in the windows, of all three maps, that have not ended at `nowNs`. */
export const windowEntries = (maps: Maps, nowNs: number, pathOf?: PathOf): KernelEntry[] => {
  const own = maps.windows.entries().flatMap(([, window]) => windowEntry(maps, window, nowNs, false, pathOf));
  const shared = maps.shared
    .entries()
    .flatMap(([, window]) => windowEntry(maps, window, nowNs, true, pathOf));
  const last = maps.last.entries().flatMap(([, window]) => windowEntry(maps, window, nowNs, true, pathOf));
  return [...own, ...shared, ...last];
};

const windowEntry = (
  maps: Maps,
  window: KgWindow,
  nowNs: number,
  shared: boolean,
  pathOf: PathOf | undefined,
): KernelEntry[] => {
  const subject = decodeSubject(window.key.who, pathOf);
  const verdict = effective(maps, window.verdict, window.since_ns);
  if (!subject || !verdict || Number(window.until_ns) <= nowNs) return [];
  return [
    {
      subject,
      verdict,
      decision: hex64(window.decision),
      rule: hex64(window.key.rule),
      sinceNs: Number(window.since_ns),
      untilNs: Number(window.until_ns),
      hits: Number(window.hits),
      lastNs: Number(window.last_ns),
      deny: 'new' /* what reaches farther is an entry of the agent's beside it */,
      pushed: true,
      shared,
    },
  ];
};

/** Empties every window that carries one of `decisions`: its subject starts anew. Answers how many. */
export const clearWindows = (maps: Maps, decisions: ReadonlySet<string>): number => {
  let cleared = 0;
  for (const [key, window] of maps.windows.entries()) {
    if (decisions.has(hex64(window.decision)) && window.verdict !== KG_VERDICT_KIND.NONE) {
      if (replace(maps, key, blank(window))) cleared++;
    }
  }
  for (const [key, window] of maps.shared.entries()) {
    if (decisions.has(hex64(window.decision)) && maps.shared.delete(key)) cleared++;
  }
  for (const [slot, window] of maps.last.entries()) {
    if (decisions.has(hex64(window.decision)) && window.verdict !== KG_VERDICT_KIND.NONE) {
      maps.last.set(slot, blank(window));
      cleared++;
    }
  }
  return cleared;
};

/** False when the entry is gone: its process ended this moment. */
const replace = (maps: Maps, key: KgWindowKey, window: KgWindow): boolean => {
  try {
    maps.windows.set(key, window, FLAG.exist);
    return true;
  } catch (error) {
    if ((error as NativeError).code === 'ENOENT') return false;
    throw error;
  }
};

/** Written under the entry's lock, so a hook sees the old window or the empty one. Its owner and charge stay. */
const blank = (window: KgWindow): KgWindow => ({
  ...window,
  verdict: KG_VERDICT_KIND.NONE,
  since_ns: 0n,
  until_ns: 0n,
  decision: 0n,
  hits: 0n,
  last_ns: 0n,
  stamps: window.stamps.map(() => 0n),
});

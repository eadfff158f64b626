/** Makes one kind of entries of kg_verdicts equal to what is desired; kernel and audit both end here. */
import {
  KG_ENTRY,
  KG_NEEDS,
  KG_REACH,
  KG_SUBJECT_KIND,
  type KgSubject,
  type KgVerdict,
} from '../abi/generated.js';
import { fromHex64, hex64, isCanary, NO_END, REACH, raiseReach } from '../kernel/entries.js';
import type { Maps } from '../kernel/maps.js';
import { subjectBit } from '../kernel/subject-codec.js';
import type { DesiredEntry } from '../model/desired.js';
import type { Outcome } from '../model/outcome.js';
import { type HostView, isTree, type Target, targetsOf } from './targets.js';

const RANK = { allow: 0, deny: 1, audit: 2 } as const;

/**
 * Two entries may want the same key: the stronger has it, and of equals the tree, since only its entry
 * passes on to children.
 */
const byStrength = (desired: readonly DesiredEntry[]): DesiredEntry[] =>
  [...desired].sort((a, b) => RANK[a.verdict] - RANK[b.verdict] || Number(isTree(b)) - Number(isTree(a)));

const keyText = ({ a, b, kind, port }: KgSubject): string => `${kind}:${a}:${b}:${port}`;

/**
 * `verdictOf` names the verdict an entry of this backend gets, undefined for those of the others.
 * Entries of this kind that nobody desires are removed; heirs of a desired tree stay.
 */
export const reconcile = (
  maps: Maps,
  host: HostView,
  desired: readonly DesiredEntry[],
  verdictOf: (entry: DesiredEntry) => number | undefined,
  kinds: ReadonlySet<number>,
): Outcome[] => {
  const found = maps.verdicts.entries();
  const entries = found.filter(([, { decision }]) => !isCanary(decision)); /* it takes its own entry away */
  const present = new Map(entries.map(([key, value]) => [keyText(key), { key, value }]));
  /* a proof that is under way has an entry of its own, which reaches new connections */
  const reach = farthest(desired, found.length > entries.length ? KG_REACH.NEW : KG_REACH.NONE);
  raiseReach(maps, reach);
  const keep = new Set<string>();
  const trees = new Set<string>();
  const outcomes: Outcome[] = [];
  for (const entry of byStrength(desired)) {
    const verdict = verdictOf(entry);
    if (verdict === undefined) {
      for (const { key } of targetsOf(entry, host)) keep.add(keyText(key)); /* another backend's */
      continue;
    }
    const targets = targetsOf(entry, host);
    if (targets.some(({ inherit }) => inherit)) trees.add(entry.decision);
    outcomes.push(applyOne(maps, entry, verdict, targets, present, keep));
  }
  for (const [text, { key, value }] of present) {
    const heir = value.inherit === KG_ENTRY.HEIRS && trees.has(hex64(value.decision));
    if (!keep.has(text) && !heir && kinds.has(value.verdict)) outcomes.push(...remove(maps, key, value));
  }
  if (outcomes.every(({ did }) => did !== 'failed')) maps.control.set('REACH', reach);
  return outcomes.filter(({ did }) => did !== 'unchanged');
};

/** How far the farthest entry reaches; at least `least`. */
const farthest = (desired: readonly DesiredEntry[], least: number): number =>
  desired.reduce(
    (reach, { verdict, deny }) => (verdict === 'allow' ? reach : Math.max(reach, REACH[deny])),
    least,
  );

const applyOne = (
  maps: Maps,
  entry: DesiredEntry,
  verdict: number,
  targets: readonly Target[],
  present: ReadonlyMap<string, { value: KgVerdict }>,
  keep: Set<string>,
): Outcome => {
  const outcome = { subject: entry.subject, decision: entry.decision };
  let did: Outcome['did'] = 'unchanged';
  for (const { key, inherit } of targets) {
    const text = keyText(key);
    /* a stronger entry already claims this key */
    if (keep.has(text)) continue;
    keep.add(text);
    const old = present.get(text)?.value;
    const value = encode(entry, verdict, inherit, old);
    if (old && same(old, value)) continue;
    try {
      announce(maps, key);
      maps.verdicts.set(key, value);
      did = 'applied';
    } catch (error) {
      return { ...outcome, did: 'failed', error: `the kernel took no entry: ${(error as Error).message}` };
    }
  }
  return { ...outcome, did };
};

/** Hits of the same decision are carried over. */
const encode = (
  entry: DesiredEntry,
  verdict: number,
  inherit: boolean,
  old: KgVerdict | undefined,
): KgVerdict => {
  const decision = fromHex64(entry.decision);
  const goesOn = old !== undefined && old.decision === decision;
  return {
    since_ns: BigInt(Math.round(entry.sinceNs)),
    until_ns: Number.isFinite(entry.untilNs) ? BigInt(Math.round(entry.untilNs)) : NO_END,
    decision,
    rule: fromHex64(entry.rule),
    hits: goesOn ? old.hits : 0n,
    last_ns: goesOn ? old.last_ns : 0n,
    verdict,
    inherit: inherit ? KG_ENTRY.HEIRS : KG_ENTRY.PLAIN,
    reach: REACH[entry.deny],
  };
};

const same = (a: KgVerdict, b: KgVerdict): boolean =>
  a.verdict === b.verdict &&
  a.decision === b.decision &&
  a.until_ns === b.until_ns &&
  a.since_ns === b.since_ns &&
  a.rule === b.rule &&
  a.reach === b.reach &&
  a.inherit === b.inherit;

/** Hooks look only for the kinds that are announced, so this comes before the entry. */
const announce = (maps: Maps, key: KgSubject): void => {
  const subjects = maps.control.get('SUBJECTS');
  if (!(subjects & subjectBit(key.kind))) maps.control.set('SUBJECTS', subjects | subjectBit(key.kind));
  const need = NEED[key.kind];
  const needs = maps.control.get('NEEDS');
  if (need !== undefined && !(needs & need)) maps.control.set('NEEDS', needs | need);
};

const NEED: Readonly<Record<number, bigint>> = {
  [KG_SUBJECT_KIND.LINEAGE]: BigInt(KG_NEEDS.LINEAGE),
  [KG_SUBJECT_KIND.EXE]: BigInt(KG_NEEDS.EXE),
};

const remove = (maps: Maps, key: KgSubject, value: KgVerdict): Outcome[] => {
  const subject = { kind: 'process', id: keyText(key), name: keyText(key) } as const;
  const outcome = { subject, decision: hex64(value.decision) };
  try {
    return [{ ...outcome, did: maps.verdicts.delete(key) ? 'removed' : 'unchanged' }];
  } catch (error) {
    return [{ ...outcome, did: 'failed', error: `the kernel kept an entry: ${(error as Error).message}` }];
  }
};

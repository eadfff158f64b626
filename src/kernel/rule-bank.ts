/**
 * Writes a set of rules into the bank that is not in force, then flips: a hook sees either the old set
 * or the new one, never a mixture. Bit i of every mask stands for rule i in the order of evaluation.
 */
import {
  KG_LIMITS,
  KG_MODE,
  KG_REACH,
  KG_SUBJECT_KIND,
  type KgRule,
  type KgRuleset,
} from '../abi/generated.js';
import { parseCidr } from '../lib/ip.js';
import { type Mode, weaker } from '../model/decision.js';
import type { KernelRule } from '../model/policy.js';
import type { SubjectKind } from '../model/subject.js';
import { REACH } from './entries.js';
import { fileIdOf } from './executable.js';
import type { Maps } from './maps.js';

const BY: Partial<Record<SubjectKind, number>> = {
  process: KG_SUBJECT_KIND.PROCESS,
  lineage: KG_SUBJECT_KIND.LINEAGE,
  session: KG_SUBJECT_KIND.SESSION,
  cgroup: KG_SUBJECT_KIND.CGROUP,
  user: KG_SUBJECT_KIND.USER,
  exe: KG_SUBJECT_KIND.EXE,
  destination: KG_SUBJECT_KIND.DEST,
};

const PORT_ENTRIES = 16384;
const EMPTY_RULE: KgRule = {
  hash: 0n,
  within_ns: 0n,
  for_ns: 0n,
  limit: 0,
  by: 0,
  mode: 0,
  used: 0,
  reach: 0,
};

/** Installs `rules` (at most 16, in order of evaluation) under the agent's mode. */
export const installRules = (maps: Maps, rules: readonly KernelRule[], agentMode: Mode): void => {
  if (rules.length > KG_LIMITS.RULES)
    throw new RangeError(`${rules.length} rules, the kernel takes ${KG_LIMITS.RULES}`);
  const bank = 1 - maps.control.number('BANK');
  clearBank(maps, bank);
  for (let slot = 0; slot < KG_LIMITS.RULES; slot++) {
    const rule = rules[slot];
    maps.rules.set(bank * KG_LIMITS.RULES + slot, rule ? encodeRule(rule, agentMode) : EMPTY_RULE);
  }
  maps.rulesets.set(bank, rulesetOf(rules, agentMode));
  writePorts(maps, bank, rules);
  writeNets(maps, bank, rules);
  writeUids(maps, bank, rules);
  writeExes(maps, bank, rules);
  const reach = Math.max(KG_REACH.NONE, ...rules.map((rule) => encodeRule(rule, agentMode).reach));
  /* a verdict of the old bank may stand until the new one is in force */
  maps.control.set('RULE_REACH', Math.max(reach, maps.control.number('RULE_REACH')));
  maps.control.set('BANK', bank);
  maps.control.set('RULE_REACH', reach);
};

const encodeRule = (rule: KernelRule, agentMode: Mode): KgRule => ({
  hash: BigInt(`0x${rule.hash}`),
  within_ns: BigInt(rule.withinNs),
  for_ns: BigInt(rule.forNs),
  limit: rule.limit,
  by: BY[rule.by] ?? KG_SUBJECT_KIND.NONE,
  mode: denies(rule, agentMode) ? KG_MODE.ENFORCE : KG_MODE.AUDIT,
  used: 1,
  reach: rule.action === 'allow' ? KG_REACH.NONE : REACH[rule.deny],
});

const denies = ({ mode }: KernelRule, agentMode: Mode): boolean =>
  weaker(mode ?? agentMode, agentMode) === 'enforce';

/** The bits of the rules that `test` holds for. */
const bits = (rules: readonly KernelRule[], test: (rule: KernelRule) => boolean): number =>
  rules.reduce((mask, rule, slot) => (test(rule) ? mask | (1 << slot) : mask), 0);

const rulesetOf = (rules: readonly KernelRule[], agentMode: Mode): KgRuleset => ({
  on_connect: bits(rules, (rule) => rule.on.connect),
  on_send: bits(rules, (rule) => rule.on.send),
  tcp: bits(rules, ({ protos }) => protos === undefined || protos.includes('tcp')),
  udp: bits(rules, ({ protos }) => protos === undefined || protos.includes('udp')),
  other: bits(rules, ({ protos }) => protos === undefined),
  allow: bits(rules, (rule) => rule.action === 'allow'),
  test_port: bits(rules, (rule) => rule.ports !== undefined),
  test_net: bits(rules, (rule) => rule.nets !== undefined),
  test_uid: bits(rules, (rule) => rule.uids !== undefined),
  test_exe: bits(rules, (rule) => rule.exes !== undefined),
  else_net: bits(rules, ({ nets }) => nets === undefined || nets.not),
  else_uid: bits(rules, ({ uids }) => uids === undefined || uids.not),
  else_exe: bits(rules, ({ exes }) => exes === undefined || exes.not),
  enforce: bits(rules, (rule) => denies(rule, agentMode)),
});

/** Ports are always written in full: 16,384 entries of four ports each, only where they change. */
const writePorts = (maps: Maps, bank: number, rules: readonly KernelRule[]): void => {
  const all = (1 << rules.length) - 1;
  const untested = bits(rules, (rule) => rule.ports === undefined);
  const masks = new Uint16Array(65536).fill(untested & all);
  rules.forEach(({ ports }, slot) => {
    for (const { from, to } of ports ?? [])
      for (let port = from; port <= to; port++) masks[port] = (masks[port] ?? 0) | (1 << slot);
  });
  if (untested === all) return; /* no rule tests ports: the hook does not look */
  const entries = new BigUint64Array(masks.buffer);
  for (let index = 0; index < PORT_ENTRIES; index++)
    maps.ports.set(bank * PORT_ENTRIES + index, entries[index] ?? 0n);
};

/**
 * The hook finds the longest prefix only, so each prefix carries the bits of every shorter one around it.
 */
const writeNets = (maps: Maps, bank: number, rules: readonly KernelRule[]): void => {
  const nets = new Map<string, { bits: number; bytes: Uint8Array }>();
  for (const text of rules.flatMap((rule) => rule.nets?.cidrs ?? [])) {
    const cidr = parseCidr(text);
    if (cidr) nets.set(`${cidr.bits}/${Buffer.from(cidr.bytes).toString('hex')}`, cidr);
  }
  for (const net of nets.values()) {
    const mask = bits(rules, (rule) => {
      if (rule.nets === undefined) return true;
      const inside = rule.nets.cidrs.some((text) => covers(text, net));
      return inside !== rule.nets.not;
    });
    maps.nets.set({ prefixlen: 32 + net.bits, bank, addr: net.bytes }, mask);
  }
};

/** Does the prefix `text` contain all of `net`? */
const covers = (text: string, net: { bits: number; bytes: Uint8Array }): boolean => {
  const cidr = parseCidr(text);
  if (!cidr || cidr.bits > net.bits) return false;
  for (let bit = 0; bit < cidr.bits; bit++) {
    const shift = 7 - (bit & 7);
    if ((((cidr.bytes[bit >> 3] ?? 0) ^ (net.bytes[bit >> 3] ?? 0)) >> shift) & 1) return false;
  }
  return true;
};

const writeUids = (maps: Maps, bank: number, rules: readonly KernelRule[]): void => {
  for (const uid of new Set(rules.flatMap((rule) => rule.uids?.values ?? []))) {
    const mask = bits(rules, ({ uids }) => uids === undefined || uids.values.includes(uid) !== uids.not);
    maps.uids.set({ uid, bank }, mask);
  }
};

/** A path that does not exist now matches nothing; `installRules` runs again when it appears. */
const writeExes = (maps: Maps, bank: number, rules: readonly KernelRule[]): void => {
  const files = new Map<string, { ino: bigint; dev: number; paths: Set<string> }>();
  for (const path of new Set(rules.flatMap((rule) => rule.exes?.paths ?? []))) {
    const file = fileIdOf(path);
    if (!file) continue;
    const id = `${file.dev}:${file.ino}`;
    const known = files.get(id) ?? { ...file, paths: new Set<string>() };
    known.paths.add(path);
    files.set(id, known);
  }
  for (const { ino, dev, paths } of files.values()) {
    const mask = bits(
      rules,
      ({ exes }) => exes === undefined || exes.paths.some((path) => paths.has(path)) !== exes.not,
    );
    maps.exes.set({ ino, dev, bank }, mask);
  }
};

const clearBank = (maps: Maps, bank: number): void => {
  for (const map of [maps.uids, maps.exes, maps.nets]) {
    for (const key of map.keys())
      if (key.bank === bank) (map as { delete(key: unknown): boolean }).delete(key);
  }
};

/** Identity of the executables the rules name, to notice when one is replaced. */
export const executablesOf = (rules: readonly KernelRule[]): string =>
  [...new Set(rules.flatMap((rule) => rule.exes?.paths ?? []))]
    .sort()
    .map((path) => {
      const file = fileIdOf(path);
      return `${path}=${file ? `${file.dev}:${file.ino}` : '-'}`;
    })
    .join('\n');

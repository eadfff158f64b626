/** Every map the agent reads or writes, typed; opened from a loaded object or from the pins. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeKgExeKey,
  decodeKgFile,
  decodeKgListenKey,
  decodeKgNetKey,
  decodeKgOwner,
  decodeKgOwnKey,
  decodeKgProcess,
  decodeKgQuota,
  decodeKgQuotaKey,
  decodeKgRoot,
  decodeKgRule,
  decodeKgRuleset,
  decodeKgSession,
  decodeKgSubject,
  decodeKgUidKey,
  decodeKgUnixName,
  decodeKgVerdict,
  decodeKgWindow,
  decodeKgWindowKey,
  encodeKgExeKey,
  encodeKgFile,
  encodeKgListenKey,
  encodeKgNetKey,
  encodeKgOwner,
  encodeKgOwnKey,
  encodeKgProcess,
  encodeKgQuota,
  encodeKgQuotaKey,
  encodeKgRoot,
  encodeKgRule,
  encodeKgRuleset,
  encodeKgSession,
  encodeKgSubject,
  encodeKgUidKey,
  encodeKgUnixName,
  encodeKgVerdict,
  encodeKgWindow,
  encodeKgWindowKey,
  KG_EXE_KEY_SIZE,
  KG_FILE_SIZE,
  KG_LISTEN_KEY_SIZE,
  KG_NET_KEY_SIZE,
  KG_OWN_KEY_SIZE,
  KG_OWNER_SIZE,
  KG_PROCESS_SIZE,
  KG_QUOTA_KEY_SIZE,
  KG_QUOTA_SIZE,
  KG_ROOT_SIZE,
  KG_RULE_SIZE,
  KG_RULESET_SIZE,
  KG_SESSION_SIZE,
  KG_SUBJECT_SIZE,
  KG_UID_KEY_SIZE,
  KG_UNIX_NAME_SIZE,
  KG_VERDICT_SIZE,
  KG_WINDOW_KEY_SIZE,
  KG_WINDOW_SIZE,
} from '../abi/generated.js';
import { Control } from './control.js';
import { Counters } from './counters.js';
import { Makers } from './makers.js';
import type { Native } from './native.js';
import { type Codec, codec, TypedMap, u32, u64 } from './typed-map.js';
import { Ways } from './ways.js';

/** The maps that are pinned, so that enforcement survives the agent. */
export const PINNED_MAPS = [
  'kg_events',
  'kg_crossings',
  'kg_control',
  'kg_counters',
  'kg_verdicts',
  'kg_windows',
  'kg_shared',
  'kg_last',
  'kg_empty',
  'kg_quotas',
  'kg_swept',
  'kg_rules',
  'kg_rulesets',
  'kg_ports',
  'kg_uids',
  'kg_exes',
  'kg_nets',
  'kg_sessions',
  'kg_lineage',
  'kg_launchers',
  'kg_sockets',
  'kg_listeners',
  'kg_makers',
  'kg_locals',
  'kg_ways',
  'kg_log_names',
  'kg_own',
] as const;
export type PinnedMap = (typeof PINNED_MAPS)[number];

const subject = codec(KG_SUBJECT_SIZE, encodeKgSubject, decodeKgSubject);
const verdict = codec(KG_VERDICT_SIZE, encodeKgVerdict, decodeKgVerdict);
const windowKey = codec(KG_WINDOW_KEY_SIZE, encodeKgWindowKey, decodeKgWindowKey);
const window = codec(KG_WINDOW_SIZE, encodeKgWindow, decodeKgWindow);
const process = codec(KG_PROCESS_SIZE, encodeKgProcess, decodeKgProcess);
const quotaKey = codec(KG_QUOTA_KEY_SIZE, encodeKgQuotaKey, decodeKgQuotaKey);
const quota = codec(KG_QUOTA_SIZE, encodeKgQuota, decodeKgQuota);
const rule = codec(KG_RULE_SIZE, encodeKgRule, decodeKgRule);
const ruleset = codec(KG_RULESET_SIZE, encodeKgRuleset, decodeKgRuleset);
const uidKey = codec(KG_UID_KEY_SIZE, encodeKgUidKey, decodeKgUidKey);
const exeKey = codec(KG_EXE_KEY_SIZE, encodeKgExeKey, decodeKgExeKey);
const netKey = codec(KG_NET_KEY_SIZE, encodeKgNetKey, decodeKgNetKey);
const session = codec(KG_SESSION_SIZE, encodeKgSession, decodeKgSession);
const root = codec(KG_ROOT_SIZE, encodeKgRoot, decodeKgRoot);
const file = codec(KG_FILE_SIZE, encodeKgFile, decodeKgFile);
const listenKey = codec(KG_LISTEN_KEY_SIZE, encodeKgListenKey, decodeKgListenKey);
const unixName = codec(KG_UNIX_NAME_SIZE, encodeKgUnixName, decodeKgUnixName);
const ownKey = codec(KG_OWN_KEY_SIZE, encodeKgOwnKey, decodeKgOwnKey);
const owner = codec(KG_OWNER_SIZE, encodeKgOwner, decodeKgOwner);

const open = (native: Native, fd: (name: PinnedMap) => number) => {
  const map = <K, V>(name: PinnedMap, key: Codec<K>, value: Codec<V>, locked = false): TypedMap<K, V> =>
    new TypedMap(native, name, fd(name), key, value, locked);
  return {
    control: new Control(native, fd('kg_control')),
    counters: new Counters(native, fd('kg_counters')),
    verdicts: map('kg_verdicts', subject, verdict),
    windows: map('kg_windows', windowKey, window, true),
    shared: map('kg_shared', windowKey, window, true),
    last: map('kg_last', u32, window, true),
    quotas: map('kg_quotas', quotaKey, quota),
    swept: map('kg_swept', quotaKey, u64),
    rules: map('kg_rules', u32, rule),
    rulesets: map('kg_rulesets', u32, ruleset),
    ports: map('kg_ports', u32, u64),
    uids: map('kg_uids', uidKey, u32),
    exes: map('kg_exes', exeKey, u32),
    nets: map('kg_nets', netKey, u32),
    sessions: map('kg_sessions', process, session),
    lineage: map('kg_lineage', process, root),
    launchers: map('kg_launchers', file, u32),
    listeners: map('kg_listeners', listenKey, owner),
    locals: map('kg_locals', file, u32),
    ways: new Ways(native, fd('kg_ways')),
    logNames: map('kg_log_names', unixName, u32),
    own: map('kg_own', ownKey, u32),
    makers: new Makers(native, fd('kg_makers')),
  };
};

export type Maps = ReturnType<typeof open>;

/** Maps of a loaded object. */
export const mapsOf = (native: Native, fdOf: (name: string) => number): Maps => open(native, fdOf);

export const areMapsPinned = (pin: string): boolean => existsSync(join(pin, 'kg_control'));

/** Opens the host by the one slot that never moves, whatever else another version's maps hold. */
export const latchPanic = (native: Native, pin: string): void => {
  const control = new Control(native, native.mapOpen(join(pin, 'kg_control')));
  try {
    control.set('PANIC', 1);
  } finally {
    control.close();
  }
};

/** Maps pinned by an agent that may be gone. Throws NativeError when one is missing. */
export const pinnedMaps = (native: Native, pin: string): Maps =>
  open(native, (name) => native.mapOpen(join(pin, name)));

export const closeMaps = (maps: Maps): void => {
  for (const map of Object.values(maps)) map.close();
};

/** Every map the agent reads or writes, typed; opened from a loaded object or from the pins. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeKgExeKey,
  decodeKgFile,
  decodeKgListenKey,
  decodeKgNetKey,
  decodeKgOwner,
  decodeKgProcess,
  decodeKgQuotaKey,
  decodeKgRoot,
  decodeKgRule,
  decodeKgRuleset,
  decodeKgSession,
  decodeKgSubject,
  decodeKgUidKey,
  decodeKgVerdict,
  decodeKgWindow,
  decodeKgWindowKey,
  encodeKgExeKey,
  encodeKgFile,
  encodeKgListenKey,
  encodeKgNetKey,
  encodeKgOwner,
  encodeKgProcess,
  encodeKgQuotaKey,
  encodeKgRoot,
  encodeKgRule,
  encodeKgRuleset,
  encodeKgSession,
  encodeKgSubject,
  encodeKgUidKey,
  encodeKgVerdict,
  encodeKgWindow,
  encodeKgWindowKey,
  KG_EXE_KEY_SIZE,
  KG_FILE_SIZE,
  KG_LISTEN_KEY_SIZE,
  KG_NET_KEY_SIZE,
  KG_OWNER_SIZE,
  KG_PROCESS_SIZE,
  KG_QUOTA_KEY_SIZE,
  KG_ROOT_SIZE,
  KG_RULE_SIZE,
  KG_RULESET_SIZE,
  KG_SESSION_SIZE,
  KG_SUBJECT_SIZE,
  KG_UID_KEY_SIZE,
  KG_VERDICT_SIZE,
  KG_WINDOW_KEY_SIZE,
  KG_WINDOW_SIZE,
} from '../abi/generated.js';
import { Control } from './control.js';
import { Counters } from './counters.js';
import type { Native } from './native.js';
import { codec, TypedMap, u32, u64 } from './typed-map.js';

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
] as const;
export type PinnedMap = (typeof PINNED_MAPS)[number];

const subject = codec(KG_SUBJECT_SIZE, encodeKgSubject, decodeKgSubject);
const verdict = codec(KG_VERDICT_SIZE, encodeKgVerdict, decodeKgVerdict);
const windowKey = codec(KG_WINDOW_KEY_SIZE, encodeKgWindowKey, decodeKgWindowKey);
const window = codec(KG_WINDOW_SIZE, encodeKgWindow, decodeKgWindow);
const process = codec(KG_PROCESS_SIZE, encodeKgProcess, decodeKgProcess);
const quotaKey = codec(KG_QUOTA_KEY_SIZE, encodeKgQuotaKey, decodeKgQuotaKey);

const open = (native: Native, fd: (name: PinnedMap) => number) => ({
  control: new Control(native, fd('kg_control')),
  counters: new Counters(native, fd('kg_counters')),
  verdicts: new TypedMap(native, 'kg_verdicts', fd('kg_verdicts'), subject, verdict),
  windows: new TypedMap(native, 'kg_windows', fd('kg_windows'), windowKey, window, true),
  shared: new TypedMap(native, 'kg_shared', fd('kg_shared'), windowKey, window, true),
  last: new TypedMap(native, 'kg_last', fd('kg_last'), u32, window, true),
  swept: new TypedMap(native, 'kg_swept', fd('kg_swept'), quotaKey, u64),
  rules: new TypedMap(
    native,
    'kg_rules',
    fd('kg_rules'),
    u32,
    codec(KG_RULE_SIZE, encodeKgRule, decodeKgRule),
  ),
  rulesets: new TypedMap(
    native,
    'kg_rulesets',
    fd('kg_rulesets'),
    u32,
    codec(KG_RULESET_SIZE, encodeKgRuleset, decodeKgRuleset),
  ),
  ports: new TypedMap(native, 'kg_ports', fd('kg_ports'), u32, u64),
  uids: new TypedMap(
    native,
    'kg_uids',
    fd('kg_uids'),
    codec(KG_UID_KEY_SIZE, encodeKgUidKey, decodeKgUidKey),
    u32,
  ),
  exes: new TypedMap(
    native,
    'kg_exes',
    fd('kg_exes'),
    codec(KG_EXE_KEY_SIZE, encodeKgExeKey, decodeKgExeKey),
    u32,
  ),
  nets: new TypedMap(
    native,
    'kg_nets',
    fd('kg_nets'),
    codec(KG_NET_KEY_SIZE, encodeKgNetKey, decodeKgNetKey),
    u32,
  ),
  sessions: new TypedMap(
    native,
    'kg_sessions',
    fd('kg_sessions'),
    process,
    codec(KG_SESSION_SIZE, encodeKgSession, decodeKgSession),
  ),
  lineage: new TypedMap(
    native,
    'kg_lineage',
    fd('kg_lineage'),
    process,
    codec(KG_ROOT_SIZE, encodeKgRoot, decodeKgRoot),
  ),
  launchers: new TypedMap(
    native,
    'kg_launchers',
    fd('kg_launchers'),
    codec(KG_FILE_SIZE, encodeKgFile, decodeKgFile),
    u32,
  ),
  listeners: new TypedMap(
    native,
    'kg_listeners',
    fd('kg_listeners'),
    codec(KG_LISTEN_KEY_SIZE, encodeKgListenKey, decodeKgListenKey),
    codec(KG_OWNER_SIZE, encodeKgOwner, decodeKgOwner),
  ),
});

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

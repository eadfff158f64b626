/** GENERATED from the BTF of bpf/build/kerngate.bpf.o by `npm run abi`. Do not edit. */

import type { EventKind } from '../model/event.js';

export const ABI_STAMP = 'a34d38ea163f977d';

export const KG_CONTROL_SLOT = {
  PANIC: 0,
  MODE: 1,
  DEMOTED: 2,
  LEASE: 3,
  CONFIRM: 4,
  BANK: 5,
  SUBJECTS: 6,
  NEEDS: 7,
  SCOPE: 8,
  SCOPE_LVL: 9,
  AGENT: 10,
  AGENT_TICK: 11,
  STAMP: 12,
  SOURCE: 13,
  SHARED: 14,
  LAST_WAKE: 15,
  QUOTA_CG: 16,
  QUOTA_UID: 17,
  OBJECT: 18,
  CROSSED: 19,
  QUIET: 20,
  REACH: 21,
  RULE_REACH: 22,
  GUARDED: 23,
  BARRED: 24,
  LIFTED: 25,
  EPOCH: 26,
  SHIELD: 27,
  COUNT: 28,
} as const;

export const KG_COUNTER = {
  EV_SENT: 0,
  EV_DROPPED: 1,
  VD_SENT: 2,
  VD_DROPPED: 3,
  GATE_HITS: 4,
  DENIED: 5,
  AUDITED: 6,
  SPARED: 7,
  CROSSED: 8,
  PANIC_OPEN: 9,
  LEASE_OPEN: 10,
  WIN_FULL: 11,
  WIN_LAST: 12,
  WIN_LOST: 13,
  LINEAGE_FULL: 14,
  LINEAGE_MISS: 15,
  SESSION_FULL: 16,
  SOCKET_FULL: 17,
  NO_OWNER: 18,
  READ_FAILED: 19,
  ROLLED_BACK: 20,
  NO_RULE: 21,
  DEPTH: 22,
  HEIR_FULL: 23,
  DESK_FULL: 24,
  GUARD_HITS: 25,
  SHIELD_DENIED: 26,
  COUNT: 27,
} as const;

export const KG_ENTRY = {
  PLAIN: 0,
  HEIRS: 1,
  GATE: 2,
  LSM: 3,
  FMOD: 4,
} as const;

export const KG_EVENT_FLAG = {
  CROSSED: 1,
  SPARED: 2,
  ENDED: 4,
  SHARED: 8,
  NOOWNER: 16,
  AGAIN: 32,
  REPEATED: 64,
} as const;

export const KG_LIMITS = {
  STAMPS: 16,
  RULES: 16,
  BANKS: 2,
  PATH_MAX: 192,
  ARGS_MAX: 256,
  DEPTH: 32,
} as const;

export const KG_LOCAL = {
  NONE: 0,
  BROKER: 1,
  LOG: 2,
} as const;

export const KG_MODE = {
  AUDIT: 0,
  ENFORCE: 1,
} as const;

export const KG_NEEDS = {
  LINEAGE: 1,
  EXE: 2,
} as const;

export const KG_OWN_KIND = {
  MAP: 1,
  PROGRAM: 2,
  LINK: 3,
  FOLDER: 4,
} as const;

export const KG_PROTO = {
  NONE: 0,
  TCP: 6,
  UDP: 17,
  SCTP: 132,
} as const;

export const KG_REACH = {
  NONE: 0,
  NEW: 1,
  ALL: 2,
  ISOLATE: 3,
} as const;

export const KG_SOURCE = {
  CGROUP: 0,
  TRACEPOINT: 1,
  FENTRY: 2,
  KPROBE: 3,
} as const;

export const KG_SUBJECT_KIND = {
  NONE: 0,
  PROCESS: 1,
  LINEAGE: 2,
  SESSION: 3,
  CGROUP: 4,
  USER: 5,
  EXE: 6,
  DEST: 7,
} as const;

export const KG_VERDICT_KIND = {
  NONE: 0,
  AUDIT: 1,
  DENY: 2,
  ALLOW: 3,
} as const;

export const KG_WAY = {
  NONE: 0,
  CONNECT: 1,
  SEND: 2,
  SEND_OPEN: 3,
  RECEIVE: 4,
  CREATE: 5,
  BIND: 6,
  LISTEN: 7,
  ACCEPT: 8,
  HANDED: 9,
  FILE: 10,
  TUN: 11,
  UNIX: 12,
  PAIR: 13,
  SCTP: 14,
  EGRESS: 15,
  INGRESS: 16,
  COUNT: 17,
} as const;

export const KG_WAY_COUNTS = {
  COUNTS: 34,
} as const;

export const KINDS: Readonly<Record<number, EventKind>> = {
  1: 'connect',
  2: 'send',
  3: 'exec',
  4: 'fork',
  5: 'exit',
  6: 'connect.ok',
  7: 'connect.fail',
  8: 'accept',
  9: 'listen',
  10: 'close',
  11: 'hit',
};

export interface BpfSpinLock {
  val: number;
}
export const BPF_SPIN_LOCK_SIZE = 4;
export const decodeBpfSpinLock = (view: DataView, at = 0): BpfSpinLock => ({
  val: view.getUint32(at + 0, true),
});
export const encodeBpfSpinLock = (value: BpfSpinLock, view: DataView = new DataView(new ArrayBuffer(4)), at = 0): DataView => {
  view.setUint32(at + 0, value.val, true);
  return view;
};

export interface KgBarred {
  at_ns: bigint;
  since_ns: bigint;
  until_ns: bigint;
}
export const KG_BARRED_SIZE = 24;
export const decodeKgBarred = (view: DataView, at = 0): KgBarred => ({
  at_ns: view.getBigUint64(at + 0, true),
  since_ns: view.getBigUint64(at + 8, true),
  until_ns: view.getBigUint64(at + 16, true),
});
export const encodeKgBarred = (value: KgBarred, view: DataView = new DataView(new ArrayBuffer(24)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.at_ns, true);
  view.setBigUint64(at + 8, value.since_ns, true);
  view.setBigUint64(at + 16, value.until_ns, true);
  return view;
};

export interface KgEvent {
  at_ns: bigint;
  start_ns: bigint;
  cgroup: bigint;
  lineage_tick: bigint;
  decision: bigint;
  rule: bigint;
  exe_ino: bigint;
  count: bigint;
  exe_dev: number;
  tgid: number;
  ppid: number;
  uid: number;
  session: number;
  lineage_tgid: number;
  child: number;
  result: number;
  kind: number;
  sport: number;
  dport: number;
  proto: number;
  verdict: number;
  flags: number;
  by: number;
  way: number;
  comm: string;
  saddr: Uint8Array;
  daddr: Uint8Array;
}
export const KG_EVENT_SIZE = 160;
export const decodeKgEvent = (view: DataView, at = 0): KgEvent => ({
  at_ns: view.getBigUint64(at + 0, true),
  start_ns: view.getBigUint64(at + 8, true),
  cgroup: view.getBigUint64(at + 16, true),
  lineage_tick: view.getBigUint64(at + 24, true),
  decision: view.getBigUint64(at + 32, true),
  rule: view.getBigUint64(at + 40, true),
  exe_ino: view.getBigUint64(at + 48, true),
  count: view.getBigUint64(at + 56, true),
  exe_dev: view.getUint32(at + 64, true),
  tgid: view.getUint32(at + 68, true),
  ppid: view.getUint32(at + 72, true),
  uid: view.getUint32(at + 76, true),
  session: view.getUint32(at + 80, true),
  lineage_tgid: view.getUint32(at + 84, true),
  child: view.getUint32(at + 88, true),
  result: view.getInt32(at + 92, true),
  kind: view.getUint16(at + 96, true),
  sport: view.getUint16(at + 98, true),
  dport: view.getUint16(at + 100, true),
  proto: view.getUint8(at + 102),
  verdict: view.getUint8(at + 103),
  flags: view.getUint8(at + 104),
  by: view.getUint8(at + 105),
  way: view.getUint8(at + 106),
  comm: textOf(view, at + 112, 16),
  saddr: bytesOf(view, at + 128, 16),
  daddr: bytesOf(view, at + 144, 16),
});
export const encodeKgEvent = (value: KgEvent, view: DataView = new DataView(new ArrayBuffer(160)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.at_ns, true);
  view.setBigUint64(at + 8, value.start_ns, true);
  view.setBigUint64(at + 16, value.cgroup, true);
  view.setBigUint64(at + 24, value.lineage_tick, true);
  view.setBigUint64(at + 32, value.decision, true);
  view.setBigUint64(at + 40, value.rule, true);
  view.setBigUint64(at + 48, value.exe_ino, true);
  view.setBigUint64(at + 56, value.count, true);
  view.setUint32(at + 64, value.exe_dev, true);
  view.setUint32(at + 68, value.tgid, true);
  view.setUint32(at + 72, value.ppid, true);
  view.setUint32(at + 76, value.uid, true);
  view.setUint32(at + 80, value.session, true);
  view.setUint32(at + 84, value.lineage_tgid, true);
  view.setUint32(at + 88, value.child, true);
  view.setInt32(at + 92, value.result, true);
  view.setUint16(at + 96, value.kind, true);
  view.setUint16(at + 98, value.sport, true);
  view.setUint16(at + 100, value.dport, true);
  view.setUint8(at + 102, value.proto);
  view.setUint8(at + 103, value.verdict);
  view.setUint8(at + 104, value.flags);
  view.setUint8(at + 105, value.by);
  view.setUint8(at + 106, value.way);
  setText(view, at + 112, 16, value.comm);
  setBytes(view, at + 128, 16, value.saddr);
  setBytes(view, at + 144, 16, value.daddr);
  return view;
};

export interface KgExeKey {
  ino: bigint;
  dev: number;
  bank: number;
}
export const KG_EXE_KEY_SIZE = 16;
export const decodeKgExeKey = (view: DataView, at = 0): KgExeKey => ({
  ino: view.getBigUint64(at + 0, true),
  dev: view.getUint32(at + 8, true),
  bank: view.getUint32(at + 12, true),
});
export const encodeKgExeKey = (value: KgExeKey, view: DataView = new DataView(new ArrayBuffer(16)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.ino, true);
  view.setUint32(at + 8, value.dev, true);
  view.setUint32(at + 12, value.bank, true);
  return view;
};

export interface KgExecTail {
  path_len: number;
  args_len: number;
  path: Uint8Array;
  args: Uint8Array;
}
export const KG_EXEC_TAIL_SIZE = 456;
export const decodeKgExecTail = (view: DataView, at = 0): KgExecTail => ({
  path_len: view.getUint16(at + 0, true),
  args_len: view.getUint16(at + 2, true),
  path: bytesOf(view, at + 8, 192),
  args: bytesOf(view, at + 200, 256),
});
export const encodeKgExecTail = (value: KgExecTail, view: DataView = new DataView(new ArrayBuffer(456)), at = 0): DataView => {
  view.setUint16(at + 0, value.path_len, true);
  view.setUint16(at + 2, value.args_len, true);
  setBytes(view, at + 8, 192, value.path);
  setBytes(view, at + 200, 256, value.args);
  return view;
};

export interface KgFile {
  ino: bigint;
  dev: number;
}
export const KG_FILE_SIZE = 16;
export const decodeKgFile = (view: DataView, at = 0): KgFile => ({
  ino: view.getBigUint64(at + 0, true),
  dev: view.getUint32(at + 8, true),
});
export const encodeKgFile = (value: KgFile, view: DataView = new DataView(new ArrayBuffer(16)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.ino, true);
  view.setUint32(at + 8, value.dev, true);
  return view;
};

export interface KgHolder {
  tick: bigint;
  lineage_tick: bigint;
  exe_ino: bigint;
  cgroup: bigint;
  exe_dev: number;
  tgid: number;
  lineage_tgid: number;
  uid: number;
  session: number;
}
export const KG_HOLDER_SIZE = 56;
export const decodeKgHolder = (view: DataView, at = 0): KgHolder => ({
  tick: view.getBigUint64(at + 0, true),
  lineage_tick: view.getBigUint64(at + 8, true),
  exe_ino: view.getBigUint64(at + 16, true),
  cgroup: view.getBigUint64(at + 24, true),
  exe_dev: view.getUint32(at + 32, true),
  tgid: view.getUint32(at + 36, true),
  lineage_tgid: view.getUint32(at + 40, true),
  uid: view.getUint32(at + 44, true),
  session: view.getUint32(at + 48, true),
});
export const encodeKgHolder = (value: KgHolder, view: DataView = new DataView(new ArrayBuffer(56)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.tick, true);
  view.setBigUint64(at + 8, value.lineage_tick, true);
  view.setBigUint64(at + 16, value.exe_ino, true);
  view.setBigUint64(at + 24, value.cgroup, true);
  view.setUint32(at + 32, value.exe_dev, true);
  view.setUint32(at + 36, value.tgid, true);
  view.setUint32(at + 40, value.lineage_tgid, true);
  view.setUint32(at + 44, value.uid, true);
  view.setUint32(at + 48, value.session, true);
  return view;
};

export interface KgListenKey {
  netns: bigint;
  addr: Uint8Array;
  port: number;
}
export const KG_LISTEN_KEY_SIZE = 32;
export const decodeKgListenKey = (view: DataView, at = 0): KgListenKey => ({
  netns: view.getBigUint64(at + 0, true),
  addr: bytesOf(view, at + 8, 16),
  port: view.getUint16(at + 24, true),
});
export const encodeKgListenKey = (value: KgListenKey, view: DataView = new DataView(new ArrayBuffer(32)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.netns, true);
  setBytes(view, at + 8, 16, value.addr);
  view.setUint16(at + 24, value.port, true);
  return view;
};

export interface KgMaker {
  made: KgHolder;
  held: KgHolder;
  barred: KgBarred;
}
export const KG_MAKER_SIZE = 136;
export const decodeKgMaker = (view: DataView, at = 0): KgMaker => ({
  made: decodeKgHolder(view, at + 0),
  held: decodeKgHolder(view, at + 56),
  barred: decodeKgBarred(view, at + 112),
});
export const encodeKgMaker = (value: KgMaker, view: DataView = new DataView(new ArrayBuffer(136)), at = 0): DataView => {
  encodeKgHolder(value.made, view, at + 0);
  encodeKgHolder(value.held, view, at + 56);
  encodeKgBarred(value.barred, view, at + 112);
  return view;
};

export interface KgNetKey {
  prefixlen: number;
  bank: number;
  addr: Uint8Array;
}
export const KG_NET_KEY_SIZE = 24;
export const decodeKgNetKey = (view: DataView, at = 0): KgNetKey => ({
  prefixlen: view.getUint32(at + 0, true),
  bank: view.getUint32(at + 4, true),
  addr: bytesOf(view, at + 8, 16),
});
export const encodeKgNetKey = (value: KgNetKey, view: DataView = new DataView(new ArrayBuffer(24)), at = 0): DataView => {
  view.setUint32(at + 0, value.prefixlen, true);
  view.setUint32(at + 4, value.bank, true);
  setBytes(view, at + 8, 16, value.addr);
  return view;
};

export interface KgOwnKey {
  id: bigint;
  kind: number;
  dev: number;
}
export const KG_OWN_KEY_SIZE = 16;
export const decodeKgOwnKey = (view: DataView, at = 0): KgOwnKey => ({
  id: view.getBigUint64(at + 0, true),
  kind: view.getUint32(at + 8, true),
  dev: view.getUint32(at + 12, true),
});
export const encodeKgOwnKey = (value: KgOwnKey, view: DataView = new DataView(new ArrayBuffer(16)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.id, true);
  view.setUint32(at + 8, value.kind, true);
  view.setUint32(at + 12, value.dev, true);
  return view;
};

export interface KgOwner {
  start_ns: bigint;
  cgroup: bigint;
  lineage_tick: bigint;
  lineage_tgid: number;
  tgid: number;
  ppid: number;
  uid: number;
  session: number;
  up: number;
  comm: string;
}
export const KG_OWNER_SIZE = 64;
export const decodeKgOwner = (view: DataView, at = 0): KgOwner => ({
  start_ns: view.getBigUint64(at + 0, true),
  cgroup: view.getBigUint64(at + 8, true),
  lineage_tick: view.getBigUint64(at + 16, true),
  lineage_tgid: view.getUint32(at + 24, true),
  tgid: view.getUint32(at + 28, true),
  ppid: view.getUint32(at + 32, true),
  uid: view.getUint32(at + 36, true),
  session: view.getUint32(at + 40, true),
  up: view.getUint32(at + 44, true),
  comm: textOf(view, at + 48, 16),
});
export const encodeKgOwner = (value: KgOwner, view: DataView = new DataView(new ArrayBuffer(64)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.start_ns, true);
  view.setBigUint64(at + 8, value.cgroup, true);
  view.setBigUint64(at + 16, value.lineage_tick, true);
  view.setUint32(at + 24, value.lineage_tgid, true);
  view.setUint32(at + 28, value.tgid, true);
  view.setUint32(at + 32, value.ppid, true);
  view.setUint32(at + 36, value.uid, true);
  view.setUint32(at + 40, value.session, true);
  view.setUint32(at + 44, value.up, true);
  setText(view, at + 48, 16, value.comm);
  return view;
};

export interface KgProcess {
  tgid: number;
  tick: bigint;
}
export const KG_PROCESS_SIZE = 16;
export const decodeKgProcess = (view: DataView, at = 0): KgProcess => ({
  tgid: view.getUint32(at + 0, true),
  tick: view.getBigUint64(at + 8, true),
});
export const encodeKgProcess = (value: KgProcess, view: DataView = new DataView(new ArrayBuffer(16)), at = 0): DataView => {
  view.setUint32(at + 0, value.tgid, true);
  view.setBigUint64(at + 8, value.tick, true);
  return view;
};

export interface KgQuota {
  made: bigint;
  gone: bigint;
}
export const KG_QUOTA_SIZE = 16;
export const decodeKgQuota = (view: DataView, at = 0): KgQuota => ({
  made: view.getBigUint64(at + 0, true),
  gone: view.getBigUint64(at + 8, true),
});
export const encodeKgQuota = (value: KgQuota, view: DataView = new DataView(new ArrayBuffer(16)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.made, true);
  view.setBigUint64(at + 8, value.gone, true);
  return view;
};

export interface KgQuotaKey {
  id: bigint;
  kind: number;
}
export const KG_QUOTA_KEY_SIZE = 16;
export const decodeKgQuotaKey = (view: DataView, at = 0): KgQuotaKey => ({
  id: view.getBigUint64(at + 0, true),
  kind: view.getUint32(at + 8, true),
});
export const encodeKgQuotaKey = (value: KgQuotaKey, view: DataView = new DataView(new ArrayBuffer(16)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.id, true);
  view.setUint32(at + 8, value.kind, true);
  return view;
};

export interface KgRoot {
  tick: bigint;
  parent_tick: bigint;
  anchor_tick: bigint;
  tgid: number;
  parent_tgid: number;
  anchor_tgid: number;
  epoch: number;
}
export const KG_ROOT_SIZE = 40;
export const decodeKgRoot = (view: DataView, at = 0): KgRoot => ({
  tick: view.getBigUint64(at + 0, true),
  parent_tick: view.getBigUint64(at + 8, true),
  anchor_tick: view.getBigUint64(at + 16, true),
  tgid: view.getUint32(at + 24, true),
  parent_tgid: view.getUint32(at + 28, true),
  anchor_tgid: view.getUint32(at + 32, true),
  epoch: view.getUint32(at + 36, true),
});
export const encodeKgRoot = (value: KgRoot, view: DataView = new DataView(new ArrayBuffer(40)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.tick, true);
  view.setBigUint64(at + 8, value.parent_tick, true);
  view.setBigUint64(at + 16, value.anchor_tick, true);
  view.setUint32(at + 24, value.tgid, true);
  view.setUint32(at + 28, value.parent_tgid, true);
  view.setUint32(at + 32, value.anchor_tgid, true);
  view.setUint32(at + 36, value.epoch, true);
  return view;
};

export interface KgRule {
  hash: bigint;
  within_ns: bigint;
  for_ns: bigint;
  limit: number;
  by: number;
  mode: number;
  used: number;
  reach: number;
}
export const KG_RULE_SIZE = 32;
export const decodeKgRule = (view: DataView, at = 0): KgRule => ({
  hash: view.getBigUint64(at + 0, true),
  within_ns: view.getBigUint64(at + 8, true),
  for_ns: view.getBigUint64(at + 16, true),
  limit: view.getUint32(at + 24, true),
  by: view.getUint8(at + 28),
  mode: view.getUint8(at + 29),
  used: view.getUint8(at + 30),
  reach: view.getUint8(at + 31),
});
export const encodeKgRule = (value: KgRule, view: DataView = new DataView(new ArrayBuffer(32)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.hash, true);
  view.setBigUint64(at + 8, value.within_ns, true);
  view.setBigUint64(at + 16, value.for_ns, true);
  view.setUint32(at + 24, value.limit, true);
  view.setUint8(at + 28, value.by);
  view.setUint8(at + 29, value.mode);
  view.setUint8(at + 30, value.used);
  view.setUint8(at + 31, value.reach);
  return view;
};

export interface KgRuleset {
  on_connect: number;
  on_send: number;
  tcp: number;
  udp: number;
  other: number;
  allow: number;
  test_port: number;
  test_net: number;
  test_uid: number;
  test_exe: number;
  else_net: number;
  else_uid: number;
  else_exe: number;
  enforce: number;
}
export const KG_RULESET_SIZE = 56;
export const decodeKgRuleset = (view: DataView, at = 0): KgRuleset => ({
  on_connect: view.getUint32(at + 0, true),
  on_send: view.getUint32(at + 4, true),
  tcp: view.getUint32(at + 8, true),
  udp: view.getUint32(at + 12, true),
  other: view.getUint32(at + 16, true),
  allow: view.getUint32(at + 20, true),
  test_port: view.getUint32(at + 24, true),
  test_net: view.getUint32(at + 28, true),
  test_uid: view.getUint32(at + 32, true),
  test_exe: view.getUint32(at + 36, true),
  else_net: view.getUint32(at + 40, true),
  else_uid: view.getUint32(at + 44, true),
  else_exe: view.getUint32(at + 48, true),
  enforce: view.getUint32(at + 52, true),
});
export const encodeKgRuleset = (value: KgRuleset, view: DataView = new DataView(new ArrayBuffer(56)), at = 0): DataView => {
  view.setUint32(at + 0, value.on_connect, true);
  view.setUint32(at + 4, value.on_send, true);
  view.setUint32(at + 8, value.tcp, true);
  view.setUint32(at + 12, value.udp, true);
  view.setUint32(at + 16, value.other, true);
  view.setUint32(at + 20, value.allow, true);
  view.setUint32(at + 24, value.test_port, true);
  view.setUint32(at + 28, value.test_net, true);
  view.setUint32(at + 32, value.test_uid, true);
  view.setUint32(at + 36, value.test_exe, true);
  view.setUint32(at + 40, value.else_net, true);
  view.setUint32(at + 44, value.else_uid, true);
  view.setUint32(at + 48, value.else_exe, true);
  view.setUint32(at + 52, value.enforce, true);
  return view;
};

export interface KgSession {
  start_ns: bigint;
  first_ns: bigint;
  last_ns: bigint;
  connects: bigint;
  sends: bigint;
  denied: bigint;
  audited: bigint;
  auth_tries: bigint;
  auth_fails: bigint;
  auth_oks: bigint;
  ended_ns: bigint;
  cgroup: bigint;
  uid: number;
  session: number;
  comm: string;
}
export const KG_SESSION_SIZE = 120;
export const decodeKgSession = (view: DataView, at = 0): KgSession => ({
  start_ns: view.getBigUint64(at + 0, true),
  first_ns: view.getBigUint64(at + 8, true),
  last_ns: view.getBigUint64(at + 16, true),
  connects: view.getBigUint64(at + 24, true),
  sends: view.getBigUint64(at + 32, true),
  denied: view.getBigUint64(at + 40, true),
  audited: view.getBigUint64(at + 48, true),
  auth_tries: view.getBigUint64(at + 56, true),
  auth_fails: view.getBigUint64(at + 64, true),
  auth_oks: view.getBigUint64(at + 72, true),
  ended_ns: view.getBigUint64(at + 80, true),
  cgroup: view.getBigUint64(at + 88, true),
  uid: view.getUint32(at + 96, true),
  session: view.getUint32(at + 100, true),
  comm: textOf(view, at + 104, 16),
});
export const encodeKgSession = (value: KgSession, view: DataView = new DataView(new ArrayBuffer(120)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.start_ns, true);
  view.setBigUint64(at + 8, value.first_ns, true);
  view.setBigUint64(at + 16, value.last_ns, true);
  view.setBigUint64(at + 24, value.connects, true);
  view.setBigUint64(at + 32, value.sends, true);
  view.setBigUint64(at + 40, value.denied, true);
  view.setBigUint64(at + 48, value.audited, true);
  view.setBigUint64(at + 56, value.auth_tries, true);
  view.setBigUint64(at + 64, value.auth_fails, true);
  view.setBigUint64(at + 72, value.auth_oks, true);
  view.setBigUint64(at + 80, value.ended_ns, true);
  view.setBigUint64(at + 88, value.cgroup, true);
  view.setUint32(at + 96, value.uid, true);
  view.setUint32(at + 100, value.session, true);
  setText(view, at + 104, 16, value.comm);
  return view;
};

export interface KgSubject {
  a: bigint;
  b: bigint;
  kind: number;
  port: number;
}
export const KG_SUBJECT_SIZE = 24;
export const decodeKgSubject = (view: DataView, at = 0): KgSubject => ({
  a: view.getBigUint64(at + 0, true),
  b: view.getBigUint64(at + 8, true),
  kind: view.getUint32(at + 16, true),
  port: view.getUint16(at + 20, true),
});
export const encodeKgSubject = (value: KgSubject, view: DataView = new DataView(new ArrayBuffer(24)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.a, true);
  view.setBigUint64(at + 8, value.b, true);
  view.setUint32(at + 16, value.kind, true);
  view.setUint16(at + 20, value.port, true);
  return view;
};

export interface KgUidKey {
  uid: number;
  bank: number;
}
export const KG_UID_KEY_SIZE = 8;
export const decodeKgUidKey = (view: DataView, at = 0): KgUidKey => ({
  uid: view.getUint32(at + 0, true),
  bank: view.getUint32(at + 4, true),
});
export const encodeKgUidKey = (value: KgUidKey, view: DataView = new DataView(new ArrayBuffer(8)), at = 0): DataView => {
  view.setUint32(at + 0, value.uid, true);
  view.setUint32(at + 4, value.bank, true);
  return view;
};

export interface KgUnixName {
  path: Uint8Array;
}
export const KG_UNIX_NAME_SIZE = 112;
export const decodeKgUnixName = (view: DataView, at = 0): KgUnixName => ({
  path: bytesOf(view, at + 0, 112),
});
export const encodeKgUnixName = (value: KgUnixName, view: DataView = new DataView(new ArrayBuffer(112)), at = 0): DataView => {
  setBytes(view, at + 0, 112, value.path);
  return view;
};

export interface KgVerdict {
  since_ns: bigint;
  until_ns: bigint;
  decision: bigint;
  rule: bigint;
  hits: bigint;
  last_ns: bigint;
  verdict: number;
  inherit: number;
  reach: number;
}
export const KG_VERDICT_SIZE = 64;
export const decodeKgVerdict = (view: DataView, at = 0): KgVerdict => ({
  since_ns: view.getBigUint64(at + 0, true),
  until_ns: view.getBigUint64(at + 8, true),
  decision: view.getBigUint64(at + 16, true),
  rule: view.getBigUint64(at + 24, true),
  hits: view.getBigUint64(at + 32, true),
  last_ns: view.getBigUint64(at + 40, true),
  verdict: view.getUint32(at + 48, true),
  inherit: view.getUint32(at + 52, true),
  reach: view.getUint32(at + 56, true),
});
export const encodeKgVerdict = (value: KgVerdict, view: DataView = new DataView(new ArrayBuffer(64)), at = 0): DataView => {
  view.setBigUint64(at + 0, value.since_ns, true);
  view.setBigUint64(at + 8, value.until_ns, true);
  view.setBigUint64(at + 16, value.decision, true);
  view.setBigUint64(at + 24, value.rule, true);
  view.setBigUint64(at + 32, value.hits, true);
  view.setBigUint64(at + 40, value.last_ns, true);
  view.setUint32(at + 48, value.verdict, true);
  view.setUint32(at + 52, value.inherit, true);
  view.setUint32(at + 56, value.reach, true);
  return view;
};

export interface KgWindow {
  lock: BpfSpinLock;
  verdict: number;
  since_ns: bigint;
  until_ns: bigint;
  decision: bigint;
  hits: bigint;
  last_ns: bigint;
  touched_ns: bigint;
  key: KgWindowKey;
  cgroup: bigint;
  uid: number;
  stamps: bigint[];
}
export const KG_WINDOW_SIZE = 232;
export const decodeKgWindow = (view: DataView, at = 0): KgWindow => ({
  lock: decodeBpfSpinLock(view, at + 0),
  verdict: view.getUint32(at + 4, true),
  since_ns: view.getBigUint64(at + 8, true),
  until_ns: view.getBigUint64(at + 16, true),
  decision: view.getBigUint64(at + 24, true),
  hits: view.getBigUint64(at + 32, true),
  last_ns: view.getBigUint64(at + 40, true),
  touched_ns: view.getBigUint64(at + 48, true),
  key: decodeKgWindowKey(view, at + 56),
  cgroup: view.getBigUint64(at + 88, true),
  uid: view.getUint32(at + 96, true),
  stamps: Array.from({ length: 16 }, (_, i) => view.getBigUint64(at + 104 + i * 8, true)),
});
export const encodeKgWindow = (value: KgWindow, view: DataView = new DataView(new ArrayBuffer(232)), at = 0): DataView => {
  encodeBpfSpinLock(value.lock, view, at + 0);
  view.setUint32(at + 4, value.verdict, true);
  view.setBigUint64(at + 8, value.since_ns, true);
  view.setBigUint64(at + 16, value.until_ns, true);
  view.setBigUint64(at + 24, value.decision, true);
  view.setBigUint64(at + 32, value.hits, true);
  view.setBigUint64(at + 40, value.last_ns, true);
  view.setBigUint64(at + 48, value.touched_ns, true);
  encodeKgWindowKey(value.key, view, at + 56);
  view.setBigUint64(at + 88, value.cgroup, true);
  view.setUint32(at + 96, value.uid, true);
  value.stamps.forEach((item, i) => { view.setBigUint64(at + 104 + i * 8, item, true); });
  return view;
};

export interface KgWindowKey {
  who: KgSubject;
  rule: bigint;
}
export const KG_WINDOW_KEY_SIZE = 32;
export const decodeKgWindowKey = (view: DataView, at = 0): KgWindowKey => ({
  who: decodeKgSubject(view, at + 0),
  rule: view.getBigUint64(at + 24, true),
});
export const encodeKgWindowKey = (value: KgWindowKey, view: DataView = new DataView(new ArrayBuffer(32)), at = 0): DataView => {
  encodeKgSubject(value.who, view, at + 0);
  view.setBigUint64(at + 24, value.rule, true);
  return view;
};

export const KG_EVENT_WORDS = 40;
/** Of a drained record: its own words, then offset and length of its tail. */
export const KG_ROW_WORDS = KG_EVENT_WORDS + 2;

/** Reads fields of records where the native drain put them. */
export class KgEventRows {
  private readonly r: Uint32Array;
  constructor(rows: Uint32Array) {
    this.r = rows;
  }
  private w(word: number, i: number): number {
    return this.r[i * KG_ROW_WORDS + word] as number;
  }
  at_ns(i: number): number { return this.w(0, i) + this.w(1, i) * 2 ** 32; }
  at_ns_big(i: number): bigint { return BigInt(this.w(0, i)) | (BigInt(this.w(1, i)) << 32n); }
  at_ns_hex(i: number): string { return hex(this.w(1, i)) + hex(this.w(0, i)); }
  start_ns(i: number): number { return this.w(2, i) + this.w(3, i) * 2 ** 32; }
  start_ns_big(i: number): bigint { return BigInt(this.w(2, i)) | (BigInt(this.w(3, i)) << 32n); }
  start_ns_hex(i: number): string { return hex(this.w(3, i)) + hex(this.w(2, i)); }
  cgroup(i: number): number { return this.w(4, i) + this.w(5, i) * 2 ** 32; }
  cgroup_big(i: number): bigint { return BigInt(this.w(4, i)) | (BigInt(this.w(5, i)) << 32n); }
  cgroup_hex(i: number): string { return hex(this.w(5, i)) + hex(this.w(4, i)); }
  lineage_tick(i: number): number { return this.w(6, i) + this.w(7, i) * 2 ** 32; }
  lineage_tick_big(i: number): bigint { return BigInt(this.w(6, i)) | (BigInt(this.w(7, i)) << 32n); }
  lineage_tick_hex(i: number): string { return hex(this.w(7, i)) + hex(this.w(6, i)); }
  decision(i: number): number { return this.w(8, i) + this.w(9, i) * 2 ** 32; }
  decision_big(i: number): bigint { return BigInt(this.w(8, i)) | (BigInt(this.w(9, i)) << 32n); }
  decision_hex(i: number): string { return hex(this.w(9, i)) + hex(this.w(8, i)); }
  rule(i: number): number { return this.w(10, i) + this.w(11, i) * 2 ** 32; }
  rule_big(i: number): bigint { return BigInt(this.w(10, i)) | (BigInt(this.w(11, i)) << 32n); }
  rule_hex(i: number): string { return hex(this.w(11, i)) + hex(this.w(10, i)); }
  exe_ino(i: number): number { return this.w(12, i) + this.w(13, i) * 2 ** 32; }
  exe_ino_big(i: number): bigint { return BigInt(this.w(12, i)) | (BigInt(this.w(13, i)) << 32n); }
  exe_ino_hex(i: number): string { return hex(this.w(13, i)) + hex(this.w(12, i)); }
  count(i: number): number { return this.w(14, i) + this.w(15, i) * 2 ** 32; }
  count_big(i: number): bigint { return BigInt(this.w(14, i)) | (BigInt(this.w(15, i)) << 32n); }
  count_hex(i: number): string { return hex(this.w(15, i)) + hex(this.w(14, i)); }
  exe_dev(i: number): number { return this.w(16, i); }
  tgid(i: number): number { return this.w(17, i); }
  ppid(i: number): number { return this.w(18, i); }
  uid(i: number): number { return this.w(19, i); }
  session(i: number): number { return this.w(20, i); }
  lineage_tgid(i: number): number { return this.w(21, i); }
  child(i: number): number { return this.w(22, i); }
  result(i: number): number { return this.w(23, i) | 0; }
  kind(i: number): number { return (this.w(24, i) >>> 0) & 0xffff; }
  sport(i: number): number { return (this.w(24, i) >>> 16) & 0xffff; }
  dport(i: number): number { return (this.w(25, i) >>> 0) & 0xffff; }
  proto(i: number): number { return (this.w(25, i) >>> 16) & 0xff; }
  verdict(i: number): number { return (this.w(25, i) >>> 24) & 0xff; }
  flags(i: number): number { return (this.w(26, i) >>> 0) & 0xff; }
  by(i: number): number { return (this.w(26, i) >>> 8) & 0xff; }
  way(i: number): number { return (this.w(26, i) >>> 16) & 0xff; }
  comm(i: number): string { for (let b = 0; b < 4; b++) shared32[b] = this.w(28 + b, i); return sharedText(16); }
  saddr(i: number, out: Uint8Array): Uint8Array { for (let b = 0; b < 16; b++) out[b] = this.w(32 + (b >> 2), i) >>> ((b & 3) * 8); return out; }
  daddr(i: number, out: Uint8Array): Uint8Array { for (let b = 0; b < 16; b++) out[b] = this.w(36 + (b >> 2), i) >>> ((b & 3) * 8); return out; }
}

const hex = (word: number): string => word.toString(16).padStart(8, '0');
const textOf = (view: DataView, at: number, size: number): string => cut(bytesOf(view, at, size));
const bytesOf = (view: DataView, at: number, size: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, size).slice();
const setBytes = (view: DataView, at: number, size: number, value: Uint8Array): void => {
  new Uint8Array(view.buffer, view.byteOffset + at, size).set(value.subarray(0, size));
};
const setText = (view: DataView, at: number, size: number, value: string): void => {
  const room = new Uint8Array(view.buffer, view.byteOffset + at, size).fill(0);
  room.set(Buffer.from(value, 'utf8').subarray(0, size - 1));
};
/** One buffer for all names: reading one allocates its text only. */
const shared = Buffer.alloc(64);
const shared32 = new Uint32Array(shared.buffer, shared.byteOffset, 16);
const sharedText = (size: number): string => {
  let end = 0;
  let bits = 0;
  while (end < size && shared[end] !== 0) bits |= shared[end++] as number;
  return bits < 128 ? shared.toString('latin1', 0, end) : shared.toString('utf8', 0, end);
};
/** The kernel keeps any bytes as a name; what is no UTF-8 becomes U+FFFD. */
const cut = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
};

export interface HookRow {
  readonly hook: string;
  readonly summary: string;
  readonly role: 'gate' | 'life' | 'outcome' | 'source';
  readonly source?: string;
  readonly programs: readonly { readonly name: string; readonly attach: 'cgroup' | 'fentry' | 'fmod_ret' | 'kprobe' | 'lsm' | 'tp_btf' | 'tracepoint'; readonly pin: boolean; readonly level?: 'lsm' | 'fmod_ret'; readonly optional?: boolean }[];
}
export const HOOKS: readonly HookRow[] = [
  {"hook":"connect_fentry","summary":"Source of connect events at the TCP stack, by trampoline","role":"source","programs":[{"name":"kg_fe_connect","attach":"fentry","pin":false}],"source":"fentry"},
  {"hook":"connect_gate","summary":"Refuses and reports connects and unconnected datagrams","role":"gate","programs":[{"name":"kg_connect4","attach":"cgroup","pin":true},{"name":"kg_connect6","attach":"cgroup","pin":true},{"name":"kg_sendmsg4","attach":"cgroup","pin":true},{"name":"kg_sendmsg6","attach":"cgroup","pin":true}]},
  {"hook":"connect_guard","summary":"Enforces standing verdicts in connects of every family","role":"gate","programs":[{"name":"kg_lsm_connect","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_connect","attach":"fmod_ret","pin":true,"level":"fmod_ret"}]},
  {"hook":"connect_kprobe","summary":"Source of connect events at the TCP stack, by probe","role":"source","programs":[{"name":"kg_kp_connect","attach":"kprobe","pin":false}],"source":"kprobe"},
  {"hook":"connect_tracepoint","summary":"Second source of connect events","role":"source","programs":[{"name":"kg_tp_connect","attach":"tracepoint","pin":false}],"source":"tracepoint"},
  {"hook":"exec","summary":"Reports program starts with path and arguments","role":"life","programs":[{"name":"kg_exec","attach":"tp_btf","pin":true}]},
  {"hook":"exit","summary":"Clears what the kernel keeps for a process","role":"life","programs":[{"name":"kg_exit","attach":"tp_btf","pin":true}]},
  {"hook":"file_guard","summary":"Enforces standing verdicts on sockets and tun devices used as files","role":"gate","programs":[{"name":"kg_lsm_receive","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_receive","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_file","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_file","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_open","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_open","attach":"fmod_ret","pin":true,"level":"fmod_ret"}]},
  {"hook":"fork","summary":"Hands the lineage on to each child before it runs","role":"life","programs":[{"name":"kg_fork","attach":"tp_btf","pin":true}]},
  {"hook":"local_guard","summary":"Enforces standing verdicts in AF_UNIX connects and datagrams","role":"gate","programs":[{"name":"kg_lsm_unix","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_unix","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_dgram","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_dgram","attach":"fmod_ret","pin":true,"level":"fmod_ret"}]},
  {"hook":"packet_gate","summary":"Drops the packets of blocked sockets, in and out","role":"gate","programs":[{"name":"kg_egress","attach":"cgroup","pin":true},{"name":"kg_ingress","attach":"cgroup","pin":true}]},
  {"hook":"sctp_guard","summary":"Enforces standing verdicts in what SCTP connects past connect()","role":"gate","programs":[{"name":"kg_lsm_sctp","attach":"lsm","pin":true,"level":"lsm","optional":true},{"name":"kg_fmod_sctp","attach":"fmod_ret","pin":true,"level":"fmod_ret","optional":true}]},
  {"hook":"shield","summary":"Keeps others off our maps, programs, links and pins","role":"gate","programs":[{"name":"kg_shield_bpf","attach":"lsm","pin":true,"level":"lsm","optional":true},{"name":"kg_shield_map","attach":"lsm","pin":true,"level":"lsm","optional":true},{"name":"kg_shield_prog","attach":"lsm","pin":true,"level":"lsm","optional":true},{"name":"kg_shield_rm","attach":"lsm","pin":true,"level":"lsm","optional":true},{"name":"kg_shield_rmdir","attach":"lsm","pin":true,"level":"lsm","optional":true},{"name":"kg_shield_mv","attach":"lsm","pin":true,"level":"lsm","optional":true}]},
  {"hook":"socket_gate","summary":"Writes down who makes a socket, and refuses raw ones and binding","role":"gate","programs":[{"name":"kg_sock_create","attach":"cgroup","pin":true},{"name":"kg_bind4","attach":"cgroup","pin":true},{"name":"kg_bind6","attach":"cgroup","pin":true}]},
  {"hook":"socket_guard","summary":"Enforces standing verdicts in making, binding, listening and accepting","role":"gate","programs":[{"name":"kg_lsm_create","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_create","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_bind","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_bind","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_listen","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_listen","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_accept","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_accept","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_pair","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_pair","attach":"fmod_ret","pin":true,"level":"fmod_ret"}]},
  {"hook":"tcp_state","summary":"Reports what became of each TCP connection","role":"outcome","programs":[{"name":"kg_tcp_state","attach":"tp_btf","pin":true}]},
  {"hook":"traffic_guard","summary":"Enforces standing verdicts in what sockets send and receive","role":"gate","programs":[{"name":"kg_lsm_sendmsg","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_sendmsg","attach":"fmod_ret","pin":true,"level":"fmod_ret"},{"name":"kg_lsm_recvmsg","attach":"lsm","pin":true,"level":"lsm"},{"name":"kg_fmod_recvmsg","attach":"fmod_ret","pin":true,"level":"fmod_ret"}]},
  {"hook":"unix_gate","summary":"Refuses AF_UNIX connects and datagrams where there is a hook","role":"gate","programs":[{"name":"kg_connect_unix","attach":"cgroup","pin":true,"optional":true},{"name":"kg_sendmsg_unix","attach":"cgroup","pin":true,"optional":true}]},
];


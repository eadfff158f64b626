/** The kernel's decision without a kernel event: one object loaded for tests, run with made-up attempts. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  decodeKgEvent,
  encodeKgEvent,
  KG_EVENT_SIZE,
  KG_MODE,
  KG_PROTO,
  KG_VERDICT_KIND,
  type KgEvent,
  KINDS,
} from '../../src/abi/generated.js';
import { fileIdOf } from '../../src/kernel/executable.js';
import { closeMaps, type Maps, mapsOf } from '../../src/kernel/maps.js';
import { native } from '../../src/kernel/native.js';
import { parseCidr } from '../../src/lib/ip.js';
import type { KernelRule } from '../../src/model/policy.js';
import type { Attempt, RuleSpec } from './oracle.js';

const BPF = fileURLToPath(new URL('../../bpf/', import.meta.url));
const OBJECT = 'build/decide.bpf.o';

export interface Decision {
  readonly maps: Maps;
  /** What the kernel makes of one attempt. */
  decide(event: KgEvent): KgEvent;
  close(): void;
}

/** Builds, loads and primes the test object: enforcing, leased for ever, no quotas. */
export const openDecision = (): Decision => {
  execFileSync('make', ['-s', '-C', BPF, OBJECT], { stdio: 'inherit' });
  const api = native();
  const object = api.objectOpen(`${BPF}${OBJECT}`);
  api.objectLoad(object);
  const maps = mapsOf(api, (name) => api.objectMapFd(object, name));
  maps.control.set('MODE', KG_MODE.ENFORCE);
  maps.control.set('LEASE', (1n << 64n) - 1n);
  return {
    maps,
    decide: (event) => {
      const bytes = new Uint8Array(KG_EVENT_SIZE);
      encodeKgEvent(event, new DataView(bytes.buffer));
      const result = api.programRun(object, 'kg_test_decide', bytes);
      if (result !== 0) throw new Error(`kg_test_decide returned ${result}`);
      return decodeKgEvent(new DataView(bytes.buffer));
    },
    close: () => {
      closeMaps(maps);
      api.objectClose(object);
    },
  };
};

/** Names of the verdicts in an event. */
export const VERDICTS: Readonly<Record<number, string>> = {
  [KG_VERDICT_KIND.NONE]: 'none',
  [KG_VERDICT_KIND.AUDIT]: 'audit',
  [KG_VERDICT_KIND.DENY]: 'deny',
};

/** Forgets what earlier cases left. */
export const clear = (maps: Maps): void => {
  for (const map of [maps.windows, maps.verdicts])
    for (const key of [...map.keys()]) (map as { delete(key: unknown): boolean }).delete(key);
};

/** The rule the agent would push down for `spec`; `order` is its place among the rules. */
export const kernelRuleOf = (spec: RuleSpec, order: number, hash: string): KernelRule => ({
  policy: spec.name,
  hash,
  order,
  on: { connect: spec.on.includes('connect'), send: spec.on.includes('send') },
  action: spec.allow ? 'allow' : 'deny',
  mode: spec.audit ? 'audit' : undefined,
  deny: 'new',
  by: spec.by,
  limit: spec.limit ?? 0,
  withinNs: spec.withinMs * 1e6,
  forNs: spec.forMs * 1e6,
  ...(spec.ports && { ports: [spec.ports] }),
  ...(spec.net && { nets: { not: spec.net.not, cidrs: [spec.net.cidr] } }),
  ...(spec.uid && { uids: { not: spec.uid.not, values: [spec.uid.uid] } }),
  ...(spec.exe && { exes: { not: spec.exe.not, paths: [spec.exe.path] } }),
  ...(spec.proto && { protos: [spec.proto] }),
});

/** An attempt as the gate would describe it. Its keys are numbers here: tgid, cgroup, root of the lineage. */
export const eventOf = (attempt: Attempt): KgEvent => {
  const file = fileIdOf(attempt.exe);
  const process = Number(attempt.keys.process);
  return {
    ...NOTHING,
    at_ns: attempt.atNs,
    kind: Number(Object.entries(KINDS).find(([, name]) => name === attempt.kind)?.[0]),
    proto: attempt.proto === 'udp' ? KG_PROTO.UDP : KG_PROTO.TCP,
    daddr: parseCidr(attempt.ip)?.bytes ?? NOTHING.daddr,
    dport: attempt.port,
    uid: attempt.uid,
    tgid: process,
    start_ns: BigInt(process) * 10_000_000n,
    cgroup: BigInt(attempt.keys.cgroup),
    lineage_tgid: Number(attempt.keys.lineage),
    lineage_tick: BigInt(attempt.keys.lineage),
    exe_ino: file?.ino ?? 0n,
    exe_dev: file?.dev ?? 0,
  };
};

const NOTHING: KgEvent = decodeKgEvent(new DataView(new ArrayBuffer(KG_EVENT_SIZE)));

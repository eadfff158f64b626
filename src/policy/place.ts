/** Decides for each policy where it is enforced, and compiles what goes to the kernel. */
import type { KernelMatch, KernelRule, Policy } from '../model/policy.js';
import type { SubjectKind } from '../model/subject.js';
import { inOrder, separateTwins } from './order.js';
import { quote } from './problem.js';

/** What the running kernel can tell apart. */
export interface KernelCan {
  /** Knows the audit session of a process. */
  readonly sessionId: boolean;
  /** False when the file at the path cannot be compared in the kernel. */
  exe(path: string): boolean;
}

/** Rules in force at a time, and the largest window: sizes fixed in `bpf/abi/types.h`. */
const MAX_RULES = 16;
const MAX_STAMPS = 16;

const GATED: readonly string[] = ['connect', 'send'];

/** Subjects the hook can find for an attempt. */
const IN_KERNEL: ReadonlySet<SubjectKind> = new Set([
  'process',
  'lineage',
  'session',
  'cgroup',
  'user',
  'exe',
  'destination',
]);

/**
 * The policies in the order of evaluation (priority, then name), each with its placement, the reason
 * for it, and its kernel rule if it has one. Gives policies with equal hashes different ones.
 */
export const placePolicies = (policies: readonly Policy[], can: KernelCan): Policy[] => {
  let rules = 0;
  const allowsAbove: Policy[] = [];
  return inOrder(separateTwins(policies)).map((policy) => {
    const obstacle = why(policy, can) ?? whyBelow(policy, allowsAbove) ?? whyFull(rules);
    if (obstacle === undefined) return inKernel(policy, rules++);
    if (policy.then.allow) allowsAbove.push(policy);
    return outside(policy, obstacle);
  });
};

const inKernel = (policy: Policy, order: number): Policy => {
  const rule = kernelRule(policy, order);
  return { ...policy, placement: 'kernel', why: kernelReason(policy, rule), kernelRule: rule };
};

const outside = (policy: Policy, obstacle: string): Policy => {
  const { kernelRule: _, ...rest } = policy;
  if (policy.then.block !== 'source')
    return { ...rest, placement: 'agent', why: `The agent decides: ${obstacle}.` };
  const reason =
    'Remote addresses are refused by nftables, which this version does not drive yet: the decision is recorded, nothing is denied.';
  return { ...rest, placement: 'nftables', why: reason };
};

/** A clause that says why the kernel cannot decide this policy by itself, or undefined. */
const why = (policy: Policy, can: KernelCan): string | undefined => {
  const { on, then, kernelMatch = 'its match was not compiled' } = policy;
  const other = on.find((kind) => !GATED.includes(kind));
  if (other) return `the hook decides connect and send, not ${other}`;
  if (!then.block && !then.allow) return 'it only alerts';
  if (typeof kernelMatch === 'string') return kernelMatch;
  return whyDetect(policy) ?? whyBy(policy, can) ?? whyExe(kernelMatch, can);
};

const whyDetect = ({ detect }: Policy): string | undefined => {
  if (detect.type === 'rule') return undefined;
  if (detect.distinct) return 'distinct values are counted by the agent';
  if (detect.tiers.length > 1) return 'the kernel keeps one window per policy, not several tiers';
  const limit = detect.tiers[0]?.limit ?? 0;
  return limit > MAX_STAMPS
    ? `its limit ${limit} is above the ${MAX_STAMPS} the kernel can count`
    : undefined;
};

const whyBy = (policy: Policy, can: KernelCan): string | undefined => {
  const by = keyOf(policy);
  if (!IN_KERNEL.has(by)) return `the kernel cannot count by ${by}`;
  return by === 'session' && !can.sessionId ? 'this kernel has no audit session ids' : undefined;
};

const whyExe = ({ exes }: KernelMatch, can: KernelCan): string | undefined => {
  const path = exes?.paths.find((path) => !can.exe(path));
  return path === undefined ? undefined : `the file ${quote(path)} cannot be compared in the kernel`;
};

/** A deny in the kernel would otherwise refuse what a stronger policy allows. */
const whyBelow = (policy: Policy, allows: readonly Policy[]): string | undefined => {
  const above = allows.find((allow) =>
    allow.on.some((kind) => GATED.includes(kind) && policy.on.includes(kind)),
  );
  return above && `it stands below allow policy ${quote(above.name)}, which the kernel cannot test`;
};

const whyFull = (rules: number): string | undefined =>
  rules < MAX_RULES ? undefined : `${MAX_RULES} policies that come first fill the kernel's table`;

/** Whose attempts the kernel counts; services and containers are cgroups to it. */
const keyOf = ({ detect, then }: Policy): SubjectKind => {
  if (detect.type === 'burst') return detect.by;
  const block = then.block ?? 'process';
  return block === 'unit' || block === 'container' ? 'cgroup' : block;
};

const kernelRule = (policy: Policy, order: number): KernelRule => {
  const { name, hash, on, mode, detect, then, kernelMatch } = policy;
  const tier = detect.type === 'burst' ? detect.tiers[0] : undefined;
  return {
    policy: name,
    hash,
    order,
    on: { connect: on.includes('connect'), send: on.includes('send') },
    action: then.allow ? 'allow' : 'deny',
    mode,
    by: keyOf(policy),
    limit: tier?.limit ?? 0,
    withinNs: tier?.withinNs ?? 1e9,
    forNs: then.allow ? 0 : then.forNs,
    deny: then.deny,
    ...(typeof kernelMatch === 'object' ? kernelMatch : {}),
  };
};

/** Blocks that reach further than the key they are counted by. */
const WIDER: Readonly<Partial<Record<SubjectKind, readonly string[]>>> = {
  process: ['lineage', 'session', 'cgroup', 'unit', 'container'],
  lineage: ['session', 'cgroup', 'unit', 'container'],
  session: ['cgroup', 'unit', 'container'],
  cgroup: ['unit', 'container'],
};

const kernelReason = ({ then }: Policy, { by, limit }: KernelRule): string => {
  if (then.allow) return 'The kernel ends the evaluation itself.';
  const call = limit === 0 ? 'the first call that matches' : 'the very call that crosses the limit';
  const sentence = `The kernel itself refuses ${call}, counted by ${by}`;
  if (then.block === by) return `${sentence}.`;
  if (WIDER[by]?.includes(then.block ?? ''))
    return `${sentence}; the agent widens the block to the ${then.block}.`;
  return `${sentence}; until the block ends it refuses the whole ${by}, not only the ${then.block}.`;
};

/** The self-test: each way without a block, then with one, against an agent of its own in a throwaway place. */
import { writeFileSync } from 'node:fs';
import { release } from 'node:os';
import type { BlockRequest, BlockResult, Status } from '../control/api.js';
import { callAgent } from '../control/client.js';
import { requireRoot } from '../kernel/prerequisites.js';
import { openWays } from '../kernel/promises.js';
import type { DenyScope, Level } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { Talker } from '../stage/children.js';
import { Interrupted, interruption } from '../stage/interruption.js';
import { removeLeftOvers } from '../stage/left-overs.js';
import { Stage } from '../stage/stage.js';
import { judge, type WayResult } from './judge.js';
import { knownWays, PROBER, Prober, type Trial, type Way } from './prober.js';

export interface SelftestOptions {
  readonly level: Level | 'auto';
  readonly deny: DenyScope;
  readonly sever: boolean;
  /** Ways to try; all when empty. */
  readonly ways: readonly string[];
}

export interface SelftestReport {
  readonly level: Level;
  readonly kernel: string;
  readonly deny: DenyScope;
  readonly sever: boolean;
  readonly ways: readonly WayResult[];
  readonly counts: {
    readonly tried: number;
    readonly denied: number;
    readonly open_by_design: number;
    /** Ways that are open although the level promises them to be shut. */
    readonly broken: number;
    readonly not_on_this_kernel: number;
  };
  /** Refusals that processes met which nobody had blocked. */
  readonly hurt: readonly string[];
  /** What the agent said that its blocks do not do. */
  readonly degraded: readonly string[];
  readonly seconds: number;
}

/** Attempts at a time: a way that is dropped in silence is waited for, and others need not wait with it. */
const AT_A_TIME = 8;
const NAME = 'selftest';
const POLICY = `kerngate: 1
policy: selftest-none
summary: Says nothing; the self-test blocks by hand.
on: connect
match: {dst.port: 1}
then: {alert: true}
`;
/** For what an attempt sent; unblocked it is there at once, and only ways that this kernel has not are waited for. */
const BASELINE_SETTLE_MS = 1_500;
const LEAST_SETTLE_MS = 400;
/** A machine without KVM needs a while for a block that walks a process tree and severs its sockets. */
const ANSWER_MS = 60_000;

/** Runs it. Throws KerngateError when it cannot be run; whatever happens, everything it made is gone again. */
export const selftest = async (options: SelftestOptions): Promise<SelftestReport> => {
  requireRoot();
  const ways = chosen(options.ways);
  const interrupted = interruption();
  /* awaited below, after what can fail by itself */
  interrupted.catch(() => undefined);
  await removeLeftOvers(NAME);
  const stage = new Stage(NAME);
  try {
    return await Promise.race([onStage(stage, options, ways), interrupted]);
  } catch (error) {
    if (error instanceof Interrupted) throw new KerngateError(`interrupted (${error.message})`);
    throw error;
  } finally {
    await stage.close();
  }
};

const chosen = (names: readonly string[]): Way[] => {
  const known = knownWays();
  const unknown = names.filter((name) => !known.some(({ way }) => way === name));
  if (unknown.length > 0) {
    throw new KerngateError(`no way is called ${unknown.join(', ')}`, {
      exit: 'usage',
      remedy: `Ways: ${known.map(({ way }) => way).join(' ')}`,
    });
  }
  return names.length === 0 ? known : known.filter(({ way }) => names.includes(way));
};

const onStage = async (
  stage: Stage,
  options: SelftestOptions,
  ways: readonly Way[],
): Promise<SelftestReport> => {
  const begun = performance.now();
  await startAgent(stage, options.level);
  const prober = new Prober(stage.cgroup, stage.dir);
  stage.after('the prober', () => prober.end());
  await prober.up();
  const { level, hooks } = await callAgent<Status>(
    socketOf(stage),
    'GET',
    '/v1/status',
    undefined,
    ANSWER_MS,
  );
  const programs = hooks.map(({ program }) => program);
  const open = openWays({ level, deny: options.deny, isSevered: options.sever, programs });
  const degraded = new Set<string>();
  const results = await inParallel(ways, async (way) => {
    const baseline = await prober.attempt(way.way, BASELINE_SETTLE_MS, async () => undefined);
    const blocked = baseline.reached
      ? await underBlock(stage, options, prober, way, baseline, degraded)
      : undefined;
    return judge(way, open, baseline, blocked);
  });
  const seconds = Math.round(performance.now() - begun) / 1000;
  return { ...summary(level, options, results), hurt: prober.hurt, degraded: [...degraded], seconds };
};

const socketOf = (stage: Stage): string => stage.env.KERNGATE_SOCKET ?? '';

const startAgent = async (stage: Stage, level: SelftestOptions['level']): Promise<void> => {
  writeFileSync(stage.policyFile, POLICY);
  await stage.mountPins();
  const main = process.argv[1] ?? '';
  const words = [process.execPath, main, 'run', '--mode', 'enforce', '--level', level, '--release-on-exit'];
  // Tethered: should this process be killed, its agent ends as well.
  const agent = new Talker('the agent', PROBER, ['tether', ...words], stage.env);
  stage.after('the agent', () => agent.end());
  try {
    await agent.line(/^ready /);
  } catch (error) {
    if (level === 'auto' || !(error instanceof KerngateError)) throw error;
    throw new KerngateError(error.message, { exit: 'degraded' });
  }
  void agent.ignore();
};

/**
 * A fresh process, blocked once it is prepared. What reached nobody was waited for longer than the baseline took; so
 * the block can be lifted then, and the agent has few at a time to keep up with.
 */
const underBlock = async (
  stage: Stage,
  { deny, sever }: SelftestOptions,
  prober: Prober,
  { way }: Way,
  baseline: Trial,
  degraded: Set<string>,
): Promise<Trial> => {
  let id = '';
  const ask = <T>(path: string, body: unknown): Promise<T> =>
    callAgent<T>(socketOf(stage), 'POST', path, body, ANSWER_MS);
  const trial = await prober.attempt(way, Math.max(LEAST_SETTLE_MS, 2 * baseline.ms), async (pid) => {
    const request: BlockRequest = {
      pid,
      lineage: true,
      forNs: 600e9,
      reason: `self-test: ${way}`,
      deny,
      ...(sever ? { sever } : {}),
    };
    const { decision, degraded: why } = await ask<BlockResult>('/v1/block', request);
    // A number of sockets differs from way to way, what stands in the way does not.
    if (why !== undefined) degraded.add(why.replace(/^\d+ /, ''));
    id = decision.id;
  });
  await ask('/v1/unblock', { id });
  return trial;
};

/** In the order of `items`, some of them at a time. The first failure ends it all. */
const inParallel = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const results = new Array<R>(items.length);
  const left = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of left) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return results;
};

const summary = (
  level: Level,
  { deny, sever }: SelftestOptions,
  ways: readonly WayResult[],
): Omit<SelftestReport, 'hurt' | 'degraded' | 'seconds'> => {
  const count = (test: (way: WayResult) => boolean): number => ways.filter(test).length;
  const counts = {
    tried: ways.length,
    denied: count(({ result }) => result === 'denied'),
    open_by_design: count(({ result, promised }) => result === 'escaped' && !promised),
    broken: count(isBroken),
    not_on_this_kernel: count(({ result }) => result === 'not on this kernel'),
  };
  return { level, kernel: release(), deny, sever, ways, counts };
};

/** Open, and promised not to be. */
const isBroken = ({ result, promised }: WayResult): boolean => result === 'escaped' && promised;

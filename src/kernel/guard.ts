/**
 * Raises the enforcement level: the guards of the stronger levels are attached one after the other, and the
 * first one that is proven stays. What stood before goes only when its successor is in place.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { Level } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { Canary } from './canary.js';
import { lackOf, runningKernel } from './lacks.js';
import { whyNotRun } from './levels.js';
import { type Attached, type HookProgram, linkPath, openLink, PROGRAMS, programPath } from './links.js';
import { attachSingle, closeSingle, refusalOf, type Single } from './load.js';
import type { Native, NativeError } from './native.js';
import { OBJECT_PATH } from './object-file.js';

export type GuardLevel = Exclude<Level, 'cgroup'>;
export const STRONGER: readonly GuardLevel[] = ['lsm', 'fmod_ret'];

export interface Guards {
  readonly native: Native;
  readonly pin: string;
  /** Pinned guards are of this very object, so they can go on as they are. */
  readonly adopted: boolean;
}

export interface Raised {
  readonly level: Level;
  /** The guard in force; none at level cgroup. */
  readonly attached: Attached | undefined;
  /** Why a stronger level does not hold. */
  readonly reasons: ReadonlyMap<GuardLevel, string>;
  /** Drops our handles; what is pinned stays in force. */
  close(): void;
}

type Standing = Pick<Single, 'attached'> & Partial<Pick<Single, 'object'>>;

/** Undefined when the guard was proven to hold, else why it does not. */
export const tryGuard = async (
  canary: Canary,
  level: GuardLevel,
  nowNs: number,
): Promise<string | undefined> => {
  const { result, hits } = await canary.attempt(level, nowNs);
  if (result === 'EPERM' && hits === 1) return undefined;
  return result === 'OK' && hits === 0 ? whyNotRun(level) : `its canary got ${result} with ${hits} hits`;
};

/**
 * Takes the strongest level that holds, or the one that is `wanted`. Throws KerngateError (degraded) when
 * that one does not hold; then the guards of an earlier agent stay as they were.
 */
export const raiseLevel = async (
  guards: Guards,
  wanted: Level | 'auto',
  prove: (level: GuardLevel) => Promise<string | undefined>,
): Promise<Raised> => {
  const reasons = new Map<GuardLevel, string>();
  const candidates = wanted === 'auto' ? STRONGER : STRONGER.filter((level) => level === wanted);
  for (const level of candidates) {
    const found = await stand(guards, level, prove);
    if (typeof found === 'string') {
      reasons.set(level, found);
      continue;
    }
    dropGuards(guards.pin, level);
    return { level, attached: found.attached, reasons, close: () => closeGuard(guards.native, found) };
  }
  if (wanted !== 'auto' && wanted !== 'cgroup') throw notHeld(wanted, reasons.get(wanted));
  dropGuards(guards.pin);
  return { level: 'cgroup', attached: undefined, reasons, close: () => undefined };
};

const notHeld = (level: GuardLevel, reason = ''): KerngateError =>
  new KerngateError(`level ${level} does not hold: ${reason}`, {
    exit: 'degraded',
    remedy: 'Run with --level auto, which takes the strongest level that was proven.',
  });

/** A guard that was proven and is pinned, or the reason why there is none. */
const stand = async (
  guards: Guards,
  level: GuardLevel,
  prove: (level: GuardLevel) => Promise<string | undefined>,
): Promise<Standing | string> => {
  const program = guardOf(level);
  if (!program) return 'this version has no program for it';
  const old = guards.adopted ? adoptGuard(guards, program) : undefined;
  if (old) {
    if ((await prove(level)) === undefined) return old;
    closeGuard(guards.native, old);
  }
  let fresh: Single;
  try {
    fresh = attachSingle(guards, OBJECT_PATH, program);
  } catch (error) {
    return `${lackOf(level, runningKernel()).why}: ${refusalOf(error as NativeError)}`;
  }
  const path = linkPath(guards.pin, program.name);
  /* an older one would answer for it: it gives way before the proof, and never leaves a moment without one */
  const isHeir = existsSync(path);
  if (isHeir) pinGuard(guards.native, fresh, path);
  const reason = await prove(level).catch((error: unknown) => {
    drop(guards, fresh, path);
    throw error;
  });
  if (reason === undefined) {
    if (!isHeir) pinGuard(guards.native, fresh, path);
    return { ...fresh, attached: { ...fresh.attached, pin: path } };
  }
  drop(guards, fresh, path);
  return reason;
};

export const guardOf = (level: GuardLevel): HookProgram | undefined =>
  PROGRAMS.find((program) => program.level === level);

const adoptGuard = ({ native, pin }: Guards, { name }: HookProgram): Standing | undefined => {
  const path = linkPath(pin, name);
  const link = existsSync(path) ? openLink(native, path) : undefined;
  if (link) native.linkOpenProgram(link, programPath(path));
  return link && { attached: { program: name, link, pin: path } };
};

/** The rename drops the old pin, and with it the old link. */
const pinGuard = (native: Native, { attached }: Single, path: string): void => {
  rmSync(`${path}_new`, { force: true });
  native.linkPin(attached.link, `${path}_new`);
  renameSync(`${path}_new`, path);
  rmSync(programPath(path), { force: true });
  native.linkPinProgram(attached.link, programPath(path));
};

const drop = ({ native }: Guards, single: Single, path: string): void => {
  for (const pin of [path, programPath(path)]) rmSync(pin, { force: true });
  closeSingle(native, single);
};

const closeGuard = (native: Native, { attached, object }: Standing): void => {
  native.linkClose(attached.link);
  if (object) native.objectClose(object);
};

/** Takes every other guard away, and what an agent that was killed between two steps left of them. */
const dropGuards = (pin: string, keep?: GuardLevel): void => {
  for (const { name, level } of PROGRAMS.filter((program) => program.level !== undefined)) {
    const path = linkPath(pin, name);
    rmSync(`${path}_new`, { force: true });
    if (level === keep) continue;
    for (const gone of [path, programPath(path)]) rmSync(gone, { force: true });
  }
};

/** The strongest guard that is pinned, for commands that run without the agent. */
export const pinnedLevel = (pin: string): Level =>
  STRONGER.find((level) => {
    const program = guardOf(level);
    return program !== undefined && existsSync(linkPath(pin, program.name));
  }) ?? 'cgroup';

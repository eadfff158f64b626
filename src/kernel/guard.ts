/**
 * Raises the enforcement level: the guards of the stronger levels are attached one level after the other, and
 * those that are proven first stay. What stood before goes only when its successor is in place.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { Level } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { Canary } from './canary.js';
import type { Control } from './control.js';
import { lackOf, runningKernel } from './lacks.js';
import { whyNotRun } from './levels.js';
import { type Attached, type HookProgram, linkPath, openLink, PROGRAMS, programPath } from './links.js';
import { attachGroup, closeGroup, type Group, refusalOf } from './load.js';
import type { Native, NativeError } from './native.js';
import { OBJECT_PATH } from './object-file.js';

export type GuardLevel = Exclude<Level, 'cgroup'>;
export const STRONGER: readonly GuardLevel[] = ['lsm', 'fmod_ret'];

export interface Guards {
  readonly native: Native;
  readonly pin: string;
  readonly control: Control;
  /** Pinned guards are of this very object, so they can go on as they are. */
  readonly adopted: boolean;
}

export interface Raised {
  readonly level: Level;
  /** The guards in force; none at level cgroup. */
  readonly attached: readonly Attached[];
  /** Why a stronger level does not hold. */
  readonly reasons: ReadonlyMap<GuardLevel, string>;
  /** Drops our handles; what is pinned stays in force. */
  close(): void;
}

type Standing = Pick<Group, 'attached'> & Partial<Pick<Group, 'object'>>;

/** Undefined when the guards were proven to hold, else why they do not. */
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
    guards.control.set('GUARDED', 1);
    dropGuards(guards.pin, level);
    return { level, attached: found.attached, reasons, close: () => closeGuards(guards.native, found) };
  }
  if (wanted !== 'auto' && wanted !== 'cgroup') throw notHeld(wanted, reasons.get(wanted));
  guards.control.set('GUARDED', 0); /* from here on the cgroup programs tell of what they let pass */
  dropGuards(guards.pin);
  return { level: 'cgroup', attached: [], reasons, close: () => undefined };
};

const notHeld = (level: GuardLevel, reason = ''): KerngateError =>
  new KerngateError(`level ${level} does not hold: ${reason}`, {
    exit: 'degraded',
    remedy: 'Run with --level auto, which takes the strongest level that was proven.',
  });

/** Guards that were proven and are pinned, or the reason why there are none. */
const stand = async (
  guards: Guards,
  level: GuardLevel,
  prove: (level: GuardLevel) => Promise<string | undefined>,
): Promise<Standing | string> => {
  const old = guards.adopted ? adoptGuards(guards, level) : undefined;
  if (old) {
    if ((await prove(level)) === undefined) return old;
    closeGuards(guards.native, old);
  }
  let fresh: Group;
  try {
    fresh = attachGroup(guards, OBJECT_PATH, guardsOf(level));
  } catch (error) {
    return `${lackOf(level, runningKernel()).why}: ${refusalOf(error as NativeError)}`;
  }
  /* older ones would answer for them: they give way before the proof, and never leave a moment without one */
  const isHeir = guardsOf(level).some(({ name }) => existsSync(linkPath(guards.pin, name)));
  if (isHeir) pinGuards(guards, fresh);
  const reason = await prove(level).catch((error: unknown) => {
    drop(guards, fresh);
    throw error;
  });
  if (reason === undefined) {
    if (!isHeir) pinGuards(guards, fresh);
    const pinned = fresh.attached.map((one) => ({ ...one, pin: linkPath(guards.pin, one.program) }));
    return { ...fresh, attached: pinned };
  }
  drop(guards, fresh);
  return reason;
};

export const guardsOf = (level: GuardLevel): HookProgram[] =>
  PROGRAMS.filter((program) => program.level === level);

/** Those of an earlier agent, when none is missing that must be there. */
const adoptGuards = ({ native, pin }: Guards, level: GuardLevel): Standing | undefined => {
  const attached: Attached[] = [];
  for (const { name, optional } of guardsOf(level)) {
    const path = linkPath(pin, name);
    const link = existsSync(path) ? openLink(native, path) : undefined;
    if (link) {
      native.linkOpenProgram(link, programPath(path));
      attached.push({ program: name, link, pin: path });
    } else if (!optional) {
      closeGuards(native, { attached });
      return undefined;
    }
  }
  return { attached };
};

/** The rename drops the old pin, and with it the old link. */
const pinGuards = ({ native, pin }: Guards, { attached }: Group): void => {
  for (const { program, link } of attached) {
    const path = linkPath(pin, program);
    rmSync(`${path}_new`, { force: true });
    native.linkPin(link, `${path}_new`);
    renameSync(`${path}_new`, path);
    rmSync(programPath(path), { force: true });
    native.linkPinProgram(link, programPath(path));
  }
};

const drop = ({ native, pin }: Guards, group: Group): void => {
  for (const { program } of group.attached) {
    const path = linkPath(pin, program);
    for (const gone of [path, programPath(path)]) rmSync(gone, { force: true });
  }
  closeGroup(native, group);
};

const closeGuards = (native: Native, { attached, object }: Standing): void => {
  for (const { link } of attached) native.linkClose(link);
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

/** The strongest level whose guards are pinned, for commands that run without the agent. */
export const pinnedLevel = (pin: string): Level =>
  STRONGER.find((level) =>
    guardsOf(level).every(({ name, optional }) => optional || existsSync(linkPath(pin, name))),
  ) ?? 'cgroup';

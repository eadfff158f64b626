/** Tries on this very kernel what the agent needs, in a throwaway cgroup and with nothing pinned for good. */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { KG_MODE } from '../abi/generated.js';
import { cgroup2Mount } from '../lib/cgroup-tree.js';
import type { Level } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { type Canary, withCanary } from './canary.js';
import { type GuardLevel, guardsOf, STRONGER, tryGuard } from './guard.js';
import { lackOf, runningKernel } from './lacks.js';
import { attachGroup, briefly, closeGroup, type Group } from './load.js';
import type { Native, NativeError } from './native.js';
import { OBJECT_PATH } from './object-file.js';
import { resolveScope } from './prerequisites.js';
import { openSensor, removePins, type Sensor } from './sensor.js';

export interface Trial {
  readonly level: Level;
  readonly holds: boolean;
  /** What was proven and by which programs, or why it does not hold. */
  readonly detail: string;
  /** What was attached for it. */
  readonly programs?: readonly string[];
  /** What may help when it does not hold. */
  readonly remedy?: string;
}

/** Loads everything, denies a canary at each level, and takes it all away again. Strongest first. Never throws. */
export const tryLevels = async (native: Native, pinBase: string, parent?: string): Promise<Trial[]> => {
  let scope: string | undefined;
  const pin = `${pinBase}-doctor-${process.pid}`;
  try {
    scope = makeScope(parent ?? cgroup2Mount() ?? '/sys/fs/cgroup');
    return await tryEach(native, pin, scope);
  } catch (error) {
    const detail = error instanceof KerngateError ? error.message : String(error);
    return [{ level: 'cgroup', holds: false, detail }];
  } finally {
    removePins(pin);
    if (scope !== undefined) removeQuietly(scope);
  }
};

const makeScope = (parent: string): string => {
  try {
    return mkdtempSync(join(parent, 'kerngate-doctor-'));
  } catch (cause) {
    throw new KerngateError(`${parent}: no cgroup can be made there: ${(cause as Error).message}`, { cause });
  }
};

const SIZES = {
  kg_windows: 64,
  kg_lineage: 64,
  kg_sessions: 64,
  kg_sockets: 64,
  kg_events: 262_144,
  kg_crossings: 65_536,
};

const tryEach = async (native: Native, pin: string, path: string): Promise<Trial[]> => {
  const scope = resolveScope(path);
  const sensor = openSensor({ native, pin, scope, source: 'cgroup', sizes: SIZES });
  try {
    sensor.maps.control.set('MODE', KG_MODE.ENFORCE);
    return await withCanary(
      sensor.maps,
      path,
      () => undefined,
      async (canary) => {
        const trials: Trial[] = [];
        for (const level of STRONGER) trials.push(await tryStronger(native, pin, level, canary));
        return [...trials, await tryGate(native, sensor, canary)];
      },
    );
  } finally {
    sensor.close();
  }
};

const REFUSED = 'the canary was refused (EPERM), its verdict hit once';

const tryGate = async (native: Native, sensor: Sensor, canary: Canary): Promise<Trial> => {
  const { result, hits } = await canary.attempt('gate', native.bootNs());
  const holds = result === 'EPERM' && hits === 1;
  const programs = sensor.attached.map(({ program }) => program);
  const detail = holds
    ? `${REFUSED}; programs: ${programs.join(', ')}`
    : `the canary got ${result} with ${hits} hits`;
  return { level: 'cgroup', holds, detail, programs };
};

const tryStronger = async (
  native: Native,
  pin: string,
  level: GuardLevel,
  canary: Canary,
): Promise<Trial> => {
  let group: Group;
  try {
    group = attachGroup({ native, pin }, OBJECT_PATH, guardsOf(level));
  } catch (error) {
    const { why, remedy } = lackOf(level, runningKernel());
    return { level, holds: false, detail: `${briefly(error as NativeError)}; ${why}`, remedy };
  }
  try {
    const reason = await tryGuard(canary, level, native.bootNs());
    const names = group.attached.map(({ program }) => program).join(', ');
    const without =
      group.refused.length > 0 ? `; this kernel has no hook for ${group.refused.join(', ')}` : '';
    const detail = reason ?? `${REFUSED}; programs: ${names}, beside those of level cgroup${without}`;
    return { level, holds: reason === undefined, detail };
  } finally {
    closeGroup(native, group);
  }
};

const removeQuietly = (path: string): void => {
  try {
    rmdirSync(path);
  } catch {
    /* a member that is just exiting keeps it a moment longer; it is empty and harmless */
  }
};

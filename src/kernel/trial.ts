/** Tries on this very kernel what the agent needs, in a throwaway cgroup and with nothing pinned for good. */
import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { KG_MODE } from '../abi/generated.js';
import { cgroup2Mount } from '../lib/cgroup-tree.js';
import { KerngateError } from '../model/error.js';
import { runCanary } from './canary.js';
import type { Native } from './native.js';
import { resolveScope } from './prerequisites.js';
import { openSensor, removePins } from './sensor.js';

export interface Trial {
  readonly holds: boolean;
  readonly detail: string;
}

/** Loads everything, denies a canary, and takes it all away again. Never throws. */
export const tryCgroupLevel = async (native: Native, pinBase: string, parent?: string): Promise<Trial> => {
  let scope: string | undefined;
  const pin = `${pinBase}-doctor-${process.pid}`;
  try {
    scope = mkdtempSync(join(parent ?? cgroup2Mount() ?? '/sys/fs/cgroup', 'kerngate-doctor-'));
    return await deny(native, pin, scope);
  } catch (error) {
    return { holds: false, detail: error instanceof KerngateError ? error.message : String(error) };
  } finally {
    removePins(pin);
    if (scope !== undefined) removeQuietly(scope);
  }
};

const deny = async (native: Native, pin: string, path: string): Promise<Trial> => {
  const sizes = {
    kg_windows: 64,
    kg_lineage: 64,
    kg_sessions: 64,
    kg_sockets: 64,
    kg_events: 262_144,
    kg_crossings: 65_536,
  };
  const sensor = openSensor({ native, pin, scope: resolveScope(path), source: 'cgroup', sizes });
  try {
    sensor.maps.control.set('MODE', KG_MODE.ENFORCE);
    const { result, hits } = await runCanary(sensor.maps, path, native.bootNs());
    const holds = result === 'EPERM' && hits === 1;
    const names = sensor.attached.map(({ program }) => program).join(', ');
    const detail = holds
      ? `the canary was refused (EPERM), its verdict hit once; programs: ${names}`
      : `the canary got ${result} with ${hits} hits`;
    return { holds, detail };
  } finally {
    sensor.close();
  }
};

const removeQuietly = (path: string): void => {
  try {
    rmdirSync(path);
  } catch {
    /* a member that is just exiting keeps it a moment longer; it is empty and harmless */
  }
};

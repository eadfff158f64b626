/** Brings the BPF programs to life, or adopts the ones an earlier agent left, and hands out their maps. */
import { closeSync, existsSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ABI_STAMP, KG_SOURCE } from '../abi/generated.js';
import { KerngateError } from '../model/error.js';
import { explainForeign } from './foreign.js';
import { Keeper } from './keeper.js';
import {
  type Attached,
  adoptExtras,
  adoptLinks,
  attachProgram,
  BASE,
  EXTRA,
  type LinkContext,
  linkPath,
  PROGRAMS,
  programPath,
} from './links.js';
import { attachSingle, closeSingle, explainLoad, loadPrograms, refusalOf } from './load.js';
import { areMapsPinned, closeMaps, type Maps, mapsOf, PINNED_MAPS, pinnedMaps } from './maps.js';
import type { Native, NativeError, ObjectHandle } from './native.js';
import { checkObjectFile, type ObjectFile } from './object-file.js';
import { preparePins, requireBtf, type Scope } from './prerequisites.js';

export type Source = 'cgroup' | 'fentry' | 'kprobe' | 'tracepoint';

export interface SensorOptions {
  readonly native: Native;
  readonly pin: string;
  readonly scope: Scope;
  /** Source of connect events. */
  readonly source: Source;
  /** Other sizes than the object's own, by map name; only for maps that are not pinned yet. */
  readonly sizes?: Readonly<Record<string, number>>;
  readonly objectPath?: string;
}

export interface Sensor {
  readonly maps: Maps;
  readonly attached: readonly Attached[];
  /** True when programs and maps of an earlier agent went on without a break. */
  readonly adopted: boolean;
  ringFds(): { crossings: number; events: number };
  /** Puts back what others take away. */
  readonly keeper: Keeper;
  /** Drops our handles; what is pinned stays in force. */
  close(): void;
}

/** Throws KerngateError with place and remedy; then nothing new is left attached or pinned. */
export const openSensor = (options: SensorOptions): Sensor => {
  const file = checkObjectFile(options.objectPath);
  requireBtf();
  preparePins(options.pin);
  checkPinnedStamp(options);
  const isFirst = !areMapsPinned(options.pin);
  const base = adopt(options, file) ?? load(options, file);
  try {
    return withSource(options, file, base);
  } catch (error) {
    base.close();
    if (isFirst) removePins(options.pin);
    throw error;
  }
};

/** The gate tells of connects itself unless another source does; that one lives as long as the agent. */
const withSource = (options: SensorOptions, file: ObjectFile, base: Sensor): Sensor => {
  const { native, source } = options;
  const { control } = base.maps;
  const program = PROGRAMS.find((candidate) => candidate.source === source);
  if (program === undefined) {
    control.set('SOURCE', KG_SOURCE.CGROUP);
    return base;
  }
  control.set('SOURCE', KG_SOURCE[source.toUpperCase() as keyof typeof KG_SOURCE]);
  try {
    const single = attachSingle(options, file.path, program);
    const close = (): void => {
      closeSingle(native, single);
      base.close();
    };
    return {
      ...base,
      get attached() {
        return [...base.attached, single.attached]; /* the keeper may have made a link of the base anew */
      },
      close,
    };
  } catch (cause) {
    control.set('SOURCE', KG_SOURCE.CGROUP);
    throw new KerngateError(
      `telemetry.connect: ${source}: this kernel does not offer it: ${refusalOf(cause as NativeError)}`,
      { remedy: 'Set telemetry.connect to auto: the gate itself tells of connects on every kernel.', cause },
    );
  }
};

/** The last good state of another version stays: it is refused, not overwritten. */
const checkPinnedStamp = ({ native, pin }: SensorOptions): void => {
  if (!areMapsPinned(pin)) return;
  const stamp = pinnedStamp(native, pin);
  if (stamp === 0n || stamp === BigInt(`0x${ABI_STAMP}`)) return;
  throw new KerngateError(
    `${pin}: pinned by a kerngate of another ABI (${stamp.toString(16).padStart(16, '0')})`,
    {
      remedy: `Take its blocks out and its pins away first: kerngate panic --pin ${pin} && rm -r ${pin}`,
    },
  );
};

const pinnedStamp = (native: Native, pin: string): bigint => {
  const fd = native.mapOpen(join(pin, 'kg_control'));
  try {
    const value = new Uint8Array(8);
    const key = new Uint8Array([12, 0, 0, 0]); /* KG_CTL_STAMP: the one slot that never moves */
    return native.mapLookup(fd, key, value, 0) ? new DataView(value.buffer).getBigUint64(0, true) : 0n;
  } finally {
    native.closeFd(fd);
  }
};

const adopt = (options: SensorOptions, file: ObjectFile): Sensor | undefined => {
  const { native, pin, scope } = options;
  if (!PINNED_MAPS.every((name) => existsSync(join(pin, name)))) return undefined;
  const maps = pinnedMaps(native, pin);
  const same = maps.control.get('OBJECT') === file.fingerprint && maps.control.get('SCOPE') === scope.id;
  const attached = same ? adoptLinks(native, pin, scope.id) : undefined;
  if (attached) {
    const all = [...attached, ...adoptExtras(native, pin, scope.id)];
    return sensor(options, maps, all, [], true);
  }
  closeMaps(maps);
  return undefined;
};

const load = (options: SensorOptions, file: ObjectFile): Sensor => {
  const { native, pin, scope } = options;
  const before = new Set(readdirSync(pin));
  const made: Attached[] = [];
  const cgroupFd = openSync(scope.path, 'r');
  let object: ObjectHandle | undefined;
  try {
    object = loadPrograms(options, file.path, BASE);
    const context = { native, object, pin, cgroupFd, cgroupId: scope.id };
    const maps = mapsOf(native, (name) => native.objectMapFd(context.object, name));
    maps.control.set('SCOPE', scope.id);
    maps.control.set('SCOPE_LVL', scope.level);
    maps.control.set('STAMP', BigInt(`0x${ABI_STAMP}`));
    for (const program of BASE) made.push(attachProgram(context, program));
    const extra = loadExtras({ ...context, object }, options, file.path, made);
    maps.control.set('OBJECT', file.fingerprint);
    return sensor(options, maps, made, [object, ...extra], false);
  } catch (cause) {
    undo(options, before, made);
    if (object) native.objectClose(object);
    throw explainForeign(native, scope, cause) ?? explainLoad(cause as NativeError, file.path);
  } finally {
    closeSync(cgroupFd);
  }
};

/** What this kernel has no hook for is left out; `levels.ts` says what stays open for it. */
const loadExtras = (
  context: LinkContext,
  options: SensorOptions,
  path: string,
  made: Attached[],
): ObjectHandle[] => {
  let object: ObjectHandle;
  try {
    object = loadPrograms(options, path, EXTRA);
  } catch {
    return [];
  }
  for (const program of EXTRA) made.push(attachProgram({ ...context, object }, program));
  return [object];
};

/** Only what this attempt made goes; pins that were there before stay in force. */
const undo = (
  { native, pin }: SensorOptions,
  before: ReadonlySet<string>,
  made: readonly Attached[],
): void => {
  if (before.has('kg_control')) return;
  for (const { link, pin: path } of made) {
    if (path !== undefined) rmSync(path, { force: true });
    native.linkClose(link);
  }
  removePins(pin);
};

const sensor = (
  options: SensorOptions,
  maps: Maps,
  attached: Attached[],
  objects: readonly ObjectHandle[],
  adopted: boolean,
): Sensor => {
  const { native, pin } = options;
  const keeper = new Keeper({ ...options, attached });
  return {
    maps,
    attached,
    adopted,
    keeper,
    ringFds: () => ({
      crossings: native.mapOpen(join(pin, 'kg_crossings')),
      events: native.mapOpen(join(pin, 'kg_events')),
    }),
    close: () => {
      for (const { link } of attached) native.linkClose(link);
      keeper.close();
      closeMaps(maps);
      for (const object of objects) native.objectClose(object);
    },
  };
};

/**
 * Takes our pins away: programs detach, maps go. What others keep in the same folder stays, and the folder
 * with it. For a release the operator asked for, and for a first start that failed.
 */
export const removePins = (pin: string): void => {
  const links = PROGRAMS.map(({ name }) => linkPath(pin, name));
  const maps = PINNED_MAPS.map((name) => join(pin, name));
  const beside = links.flatMap((link) => [`${link}_new`, programPath(link)]);
  for (const path of [...links, ...beside, ...maps]) rmSync(path, { force: true });
  for (const folder of [join(pin, 'links'), pin]) {
    try {
      rmdirSync(folder);
    } catch {
      /* others use it, or it is gone */
    }
  }
};

/** Brings the BPF programs to life, or adopts the ones an earlier agent left, and hands out their maps. */
import { closeSync, existsSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ABI_STAMP } from '../abi/generated.js';
import { KerngateError } from '../model/error.js';
import { type Attached, adoptLinks, attachProgram, linkPath, PROGRAMS } from './links.js';
import { areMapsPinned, closeMaps, type Maps, mapsOf, PINNED_MAPS, pinnedMaps } from './maps.js';
import type { Native, NativeError, ObjectHandle } from './native.js';
import { checkObjectFile, type ObjectFile } from './object-file.js';
import { preparePins, requireBtf, type Scope } from './prerequisites.js';

export interface SensorOptions {
  readonly native: Native;
  readonly pin: string;
  readonly scope: Scope;
  /** Source of connect events. */
  readonly source: 'cgroup' | 'tracepoint';
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
  /** Drops our handles; what is pinned stays in force. */
  close(): void;
}

/** Throws KerngateError with place and remedy; then nothing new is left attached or pinned. */
export const openSensor = (options: SensorOptions): Sensor => {
  const file = checkObjectFile(options.objectPath);
  requireBtf();
  preparePins(options.pin);
  checkPinnedStamp(options);
  return adopt(options, file) ?? load(options, file);
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
  if (!PINNED_MAPS.every((name) => existsSync(join(pin, name))) || options.source !== 'cgroup')
    return undefined;
  const maps = pinnedMaps(native, pin);
  const same = maps.control.get('OBJECT') === file.fingerprint && maps.control.get('SCOPE') === scope.id;
  const attached = same ? adoptLinks(native, pin, scope.id) : undefined;
  if (attached) {
    maps.control.set('SOURCE', 0);
    return sensor(options, maps, attached, undefined, true);
  }
  closeMaps(maps);
  return undefined;
};

const load = (options: SensorOptions, file: ObjectFile): Sensor => {
  const { native, pin, scope } = options;
  const wanted = PROGRAMS.filter(
    (program) => program.source === undefined || program.source === options.source,
  );
  const object = native.objectOpen(file.path);
  const before = new Set(readdirSync(pin));
  const made: Attached[] = [];
  const cgroupFd = openSync(scope.path, 'r');
  try {
    prepare(options, object, new Set(wanted.map(({ name }) => name)));
    native.objectLoad(object);
    const maps = mapsOf(native, (name) => native.objectMapFd(object, name));
    maps.control.set('SCOPE', scope.id);
    maps.control.set('SCOPE_LVL', scope.level);
    maps.control.set('STAMP', BigInt(`0x${ABI_STAMP}`));
    maps.control.set('SOURCE', options.source === 'cgroup' ? 0 : 1);
    const context = { native, object, pin, cgroupFd, cgroupId: scope.id };
    for (const program of wanted) made.push(attachProgram(context, program));
    maps.control.set('OBJECT', file.fingerprint);
    return sensor(options, maps, made, object, false);
  } catch (cause) {
    undo(options, before, made);
    native.objectClose(object);
    throw explain(cause as NativeError, file.path);
  } finally {
    closeSync(cgroupFd);
  }
};

const prepare = (
  { native, pin, sizes }: SensorOptions,
  object: ObjectHandle,
  wanted: ReadonlySet<string>,
): void => {
  for (const program of native.objectPrograms(object))
    native.setAutoload(object, program, wanted.has(program));
  for (const map of PINNED_MAPS) {
    const entries = pinnedSize(native, join(pin, map)) ?? sizes?.[map];
    if (entries !== undefined) native.setMaxEntries(object, map, entries);
    native.setMapPin(object, map, join(pin, map));
  }
};

/** A map of another size would not be taken over, and what it holds is in force. */
const pinnedSize = (native: Native, path: string): number | undefined => {
  if (!existsSync(path)) return undefined;
  const fd = native.mapOpen(path);
  try {
    return native.mapInfo(fd).maxEntries;
  } finally {
    native.closeFd(fd);
  }
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

const explain = (error: NativeError, path: string): KerngateError => {
  const log = error.log === undefined ? '' : `\n${error.log.trimEnd()}`;
  return new KerngateError(`${path}: the kernel refused it: ${error.message}${log}`, {
    remedy: 'See what this kernel lacks with: kerngate doctor',
    cause: error,
  });
};

const sensor = (
  { native, pin }: SensorOptions,
  maps: Maps,
  attached: readonly Attached[],
  object: ObjectHandle | undefined,
  adopted: boolean,
): Sensor => ({
  maps,
  attached,
  adopted,
  ringFds: () => ({
    crossings: native.mapOpen(join(pin, 'kg_crossings')),
    events: native.mapOpen(join(pin, 'kg_events')),
  }),
  close: () => {
    for (const { link } of attached) native.linkClose(link);
    closeMaps(maps);
    if (object) native.objectClose(object);
  },
});

/**
 * Takes our pins away: programs detach, maps go. What others keep in the same folder stays, and the folder
 * with it. For a release the operator asked for, and for a first start that failed.
 */
export const removePins = (pin: string): void => {
  const links = PROGRAMS.map(({ name }) => linkPath(pin, name));
  const maps = PINNED_MAPS.map((name) => join(pin, name));
  for (const path of [...links, ...links.map((link) => `${link}_new`), ...maps])
    rmSync(path, { force: true });
  for (const folder of [join(pin, 'links'), pin]) {
    try {
      rmdirSync(folder);
    } catch {
      /* others use it, or it is gone */
    }
  }
};

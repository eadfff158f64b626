/** Loads chosen programs of the object onto the pinned maps, which are made where there are none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KerngateError } from '../model/error.js';
import { type Attached, attachProgram, type HookProgram } from './links.js';
import { PINNED_MAPS } from './maps.js';
import type { Native, NativeError, ObjectHandle } from './native.js';

interface LoadOptions {
  readonly native: Native;
  readonly pin: string;
  /** Other sizes than the object's own, by map name; only for maps that are not pinned yet. */
  readonly sizes?: Readonly<Record<string, number>>;
}

/** Throws NativeError when the kernel refuses a map or a program; then nothing of the object stays loaded. */
export const loadPrograms = (
  options: LoadOptions,
  path: string,
  wanted: readonly HookProgram[],
): ObjectHandle => {
  const { native } = options;
  const object = native.objectOpen(path);
  try {
    prepare(options, object, new Set(wanted.map(({ name }) => name)));
    native.objectLoad(object);
    return object;
  } catch (error) {
    native.objectClose(object);
    throw error;
  }
};

const prepare = (
  { native, pin, sizes }: LoadOptions,
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

/** One program that lives apart from the others. */
export interface Single {
  readonly attached: Attached;
  readonly object: ObjectHandle;
}

/**
 * Loads and attaches one program by itself, on the maps of the others: when this kernel refuses it, the
 * others do not feel it. It is not pinned here. Throws NativeError; then nothing of it is left.
 */
export const attachSingle = (options: LoadOptions, path: string, program: HookProgram): Single => {
  const { native, pin } = options;
  const object = loadPrograms(options, path, [program]);
  try {
    const context = { native, object, pin, cgroupFd: -1, cgroupId: 0n };
    return { attached: attachProgram(context, { ...program, pin: false }), object };
  } catch (error) {
    native.objectClose(object);
    throw error;
  }
};

/** Programs that belong together and live apart from the others. */
export interface Group {
  readonly attached: readonly Attached[];
  readonly object: ObjectHandle;
  /** Names of the optional programs this kernel refused. */
  readonly refused: readonly string[];
}

/** As `attachSingle`, for several: those that are not optional all stand, or none does. */
export const attachGroup = (options: LoadOptions, path: string, programs: readonly HookProgram[]): Group => {
  const needed = programs.filter(({ optional }) => !optional);
  try {
    return attachAll(options, path, programs);
  } catch (error) {
    if (needed.length === programs.length) throw error;
    const group = attachAll(options, path, needed);
    return { ...group, refused: programs.filter(({ optional }) => optional).map(({ name }) => name) };
  }
};

const attachAll = (options: LoadOptions, path: string, programs: readonly HookProgram[]): Group => {
  const { native, pin } = options;
  const object = loadPrograms(options, path, programs);
  const attached: Attached[] = [];
  try {
    const context = { native, object, pin, cgroupFd: -1, cgroupId: 0n };
    for (const program of programs) attached.push(attachProgram(context, { ...program, pin: false }));
    return { attached, object, refused: [] };
  } catch (error) {
    closeGroup(native, { attached, object, refused: [] });
    throw error;
  }
};

export const closeGroup = (native: Native, { attached, object }: Group): void => {
  for (const { link } of attached) native.linkClose(link);
  native.objectClose(object);
};

export const closeSingle = (native: Native, { attached, object }: Single): void => {
  native.linkClose(attached.link);
  native.objectClose(object);
};

/** What people read of a refusal: the message, and the end of the verifier's log. */
export const refusalOf = (error: NativeError): string =>
  error.log === undefined ? error.message : `${error.message}\n${error.log.trimEnd()}`;

/** The same in one line, for lists. */
export const briefly = (error: NativeError): string => error.message.split('\n')[0] ?? '';

export const explainLoad = (error: NativeError, path: string): KerngateError =>
  new KerngateError(`${path}: the kernel refused it: ${refusalOf(error)}`, {
    remedy: 'See what this kernel lacks with: kerngate doctor',
    cause: error,
  });

/**
 * Attaches programs and pins their links, or takes over what an earlier agent left, without a moment in
 * which nothing is attached: cgroup links change their program in place, the others overlap.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HOOKS, type HookRow } from '../abi/generated.js';
import type { LinkHandle, Native, ObjectHandle } from './native.js';

export interface HookProgram {
  readonly name: string;
  readonly attach: HookRow['programs'][number]['attach'];
  readonly pin: boolean;
  readonly role: HookRow['role'];
  readonly source?: string;
  /** The kernel may lack its hook; the others stand without it. */
  readonly optional?: boolean;
  /** The level it is the guard of; the others belong to every level. */
  readonly level?: HookRow['programs'][number]['level'];
}

export const PROGRAMS: readonly HookProgram[] = HOOKS.flatMap(({ role, source, programs }) =>
  programs.map((program) => ({ ...program, role, ...(source === undefined ? {} : { source }) })),
);

/** What every agent runs, whatever its source and level: pinned, and adopted by the next one. */
export const BASE: readonly HookProgram[] = PROGRAMS.filter(
  ({ source, level, optional }) => source === undefined && level === undefined && !optional,
);

/** What stands beside them where the kernel has the hooks. */
export const EXTRA: readonly HookProgram[] = PROGRAMS.filter(
  ({ source, level, optional }) => source === undefined && level === undefined && optional,
);

export interface Attached {
  readonly program: string;
  readonly link: LinkHandle;
  readonly pin: string | undefined;
}

export interface LinkContext {
  readonly native: Native;
  readonly object: ObjectHandle;
  readonly pin: string;
  readonly cgroupFd: number;
  readonly cgroupId: bigint;
}

export const linkPath = (pin: string, program: string): string => join(pin, 'links', program);

/**
 * Where a link's program is pinned, so that an agent without CAP_SYS_ADMIN that takes the link over can read
 * the program's counts. It holds nothing attached: that is the link's doing.
 */
export const programPath = (link: string): string => `${link}_prog`;

/** Attaches one program. Throws NativeError. */
export const attachProgram = (context: LinkContext, program: HookProgram): Attached => {
  const path = linkPath(context.pin, program.name);
  if (!program.pin) {
    return { program: program.name, link: attach(context, program), pin: undefined };
  }
  const old = existsSync(path) ? openLink(context.native, path) : undefined;
  if (old && program.attach === 'cgroup' && context.native.linkInfo(old).cgroupId === context.cgroupId) {
    context.native.linkUpdate(old, context.object, program.name);
    return { program: program.name, link: old, pin: path };
  }
  const link = attach(context, program);
  const fresh = `${path}_new`;
  rmSync(fresh, { force: true });
  context.native.linkPin(link, fresh);
  renameSync(fresh, path); /* atomic; drops the old pin, and with it the old link */
  if (old) context.native.linkClose(old);
  return { program: program.name, link, pin: path };
};

const attach = ({ native, object, cgroupFd }: LinkContext, program: HookProgram): LinkHandle =>
  native.attach(object, program.name, cgroupFd);

/** A pin that is no link, or broken, is as good as none: it is replaced. */
export const openLink = (native: Native, path: string): LinkHandle | undefined => {
  try {
    return native.linkOpen(path);
  } catch {
    return undefined;
  }
};

/** Those of the optional programs that an earlier agent left and that serve this cgroup. */
export const adoptExtras = (native: Native, pin: string, cgroupId: bigint): Attached[] =>
  EXTRA.flatMap(({ name }) => {
    const path = linkPath(pin, name);
    const link = existsSync(path) ? openLink(native, path) : undefined;
    if (!link) return [];
    if (native.linkInfo(link).cgroupId === cgroupId) return [{ program: name, link, pin: path }];
    native.linkClose(link);
    return [];
  });

/** The pinned links of an earlier agent when all are there and serve this cgroup, else undefined. */
export const adoptLinks = (native: Native, pin: string, cgroupId: bigint): Attached[] | undefined => {
  const found: Attached[] = [];
  for (const program of BASE) {
    const path = linkPath(pin, program.name);
    const link = existsSync(path) ? openLink(native, path) : undefined;
    const fits = link && (program.attach !== 'cgroup' || native.linkInfo(link).cgroupId === cgroupId);
    if (link) found.push({ program: program.name, link, pin: path });
    if (!fits) {
      for (const { link: opened } of found) native.linkClose(opened);
      return undefined;
    }
  }
  return found;
};

/** Ids of the programs that the pinned links run: an agent's own, whether it lives or not. */
export const pinnedPrograms = (native: Native, pin: string): Set<number> => {
  const ids = new Set<number>();
  for (const { name } of PROGRAMS) {
    const path = linkPath(pin, name);
    const link = existsSync(path) ? openLink(native, path) : undefined;
    if (link === undefined) continue;
    ids.add(native.linkInfo(link).programId);
    native.linkClose(link);
  }
  return ids;
};

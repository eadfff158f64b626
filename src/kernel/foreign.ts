/** Programs of others on the cgroup hooks that kerngate uses: where they are, and what that means for its own. */
import { closeSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { walkCgroups } from '../lib/cgroup-tree.js';
import { KerngateError } from '../model/error.js';
import type { Native, NativeError } from './native.js';
import type { Scope } from './prerequisites.js';

/** Attach types (enum bpf_attach_type) by the word bpftool has for them. */
const TYPES: readonly (readonly [word: string, type: number])[] = [
  ['connect4', 10],
  ['connect6', 11],
  ['sendmsg4', 14],
  ['sendmsg6', 15],
  ['sock_create', 2],
  ['bind4', 8],
  ['bind6', 9],
  ['ingress', 0],
  ['egress', 1],
];

/** Groups below the scope that are looked at: what is there does kerngate no harm. */
const BELOW_MAX = 512;

type How = 'alone' | 'override' | 'multi';
const HOW: readonly How[] = ['alone', 'override', 'multi'];

export interface Foreign {
  /** Path of the cgroup's folder. */
  readonly cgroup: string;
  readonly attach: string;
  readonly program: string;
  readonly id: number;
  readonly how: How;
  /** What follows for kerngate, as a sentence. */
  readonly means: string;
  /** True when kerngate cannot attach its own program while it is there. */
  readonly blocks: boolean;
}

/** Of the scope, all above it, and a bounded number below; `ours` are ids that are no others'. Never throws. */
export const foreignPrograms = (native: Native, scope: Scope, ours: ReadonlySet<number>): Foreign[] => {
  const found: Foreign[] = [];
  for (let at = dirname(scope.path); at.startsWith(scope.mount); at = dirname(at))
    found.unshift(...programsOn(native, at, 'above', ours));
  found.push(...programsOn(native, scope.path, 'here', ours));
  const below = scope.path.slice(scope.mount.length) || '/';
  walkCgroups(scope.mount, below, BELOW_MAX, (path) => {
    if (path !== below) found.push(...programsOn(native, join(scope.mount, path), 'below', ours));
  });
  return found;
};

type Place = 'above' | 'here' | 'below';

const programsOn = (native: Native, cgroup: string, place: Place, ours: ReadonlySet<number>): Foreign[] => {
  let fd: number;
  try {
    fd = openSync(cgroup, 'r');
  } catch {
    return []; /* it is gone by now */
  }
  try {
    return TYPES.flatMap(([attach, type]) => {
      const { flags, ids } = query(native, fd, type);
      const how = HOW[flags & 3] ?? 'multi';
      const others = ids.filter((id) => !ours.has(id));
      return others.map((id) => {
        const program = nameOf(native, id);
        return { cgroup, attach, program, id, how, ...meaning(place, how) };
      });
    });
  } finally {
    closeSync(fd);
  }
};

/** A kernel without the attach type has nothing attached there. */
const query = (native: Native, fd: number, type: number): { flags: number; ids: number[] } => {
  try {
    return native.cgroupPrograms(fd, type);
  } catch {
    return { flags: 2, ids: [] };
  }
};

const nameOf = (native: Native, id: number): string => {
  try {
    return native.programName(id) || '?';
  } catch {
    return '?';
  }
};

/** By the rules of the kernel: links are attached beside others, and only where everybody allows others. */
const meaning = (place: Place, how: How): Pick<Foreign, 'means' | 'blocks'> => {
  if (place === 'below') return { means: "kerngate's programs run there as well", blocks: false };
  if (how === 'multi') return { means: "it runs beside kerngate's; each of them may refuse", blocks: false };
  if (place === 'above' && how === 'override')
    return { means: "kerngate's program takes its place in the scope", blocks: false };
  return { means: 'kerngate cannot attach its own program while it is there (EPERM)', blocks: true };
};

export const foreignText = ({ cgroup, attach, program, id, how, means }: Foreign): string =>
  `program ${program} (id ${id}) on ${cgroup}, ${attach}, ${how}: ${means}`;

/** How to get rid of one that blocks. */
export const foreignRemedy = ({ cgroup, attach, id }: Foreign): string =>
  `Have its owner attach it with multi, or take it away: bpftool cgroup detach ${cgroup} ${attach} id ${id}`;

/** The program of another that an EPERM at attaching comes from; undefined for other errors and causes. */
export const explainForeign = (native: Native, scope: Scope, cause: unknown): KerngateError | undefined => {
  if ((cause as NativeError).code !== 'EPERM') return undefined;
  const blocking = foreignPrograms(native, scope, new Set()).find(({ blocks }) => blocks);
  if (blocking === undefined) return undefined;
  return new KerngateError(`cannot attach to ${scope.path}: ${foreignText(blocking)}`, {
    remedy: foreignRemedy(blocking),
    cause,
  });
};

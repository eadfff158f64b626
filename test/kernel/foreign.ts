/** A real program of somebody else, put onto cgroups by bpftool as administrators do. */
import { execFileSync, spawnSync } from 'node:child_process';
import { type NativeError, native, type ObjectHandle } from '../../src/kernel/native.js';
import { compiledBpf } from './fixtures/compile.js';

export const FOREIGN = 'foreign_pass';

export interface ForeignProgram {
  readonly object: ObjectHandle;
  readonly id: number;
  /** False when the kernel refuses it. */
  attach(cgroup: string, ...flags: ('multi' | 'override')[]): boolean;
  detach(cgroup: string): void;
  close(): void;
}

/** Loads it. Throws NativeError when the kernel refuses it. */
export const foreignProgram = (): ForeignProgram => {
  const api = native();
  const object = api.objectOpen(compiledBpf('foreign'));
  try {
    api.objectLoad(object);
  } catch (error) {
    api.objectClose(object);
    throw error as NativeError;
  }
  const { id } = api.programInfo(object, FOREIGN);
  const words = (verb: string, cgroup: string): string[] => [
    'cgroup',
    verb,
    cgroup,
    'connect4',
    'id',
    String(id),
  ];
  return {
    object,
    id,
    attach: (cgroup, ...flags) =>
      spawnSync('bpftool', [...words('attach', cgroup), ...flags], { stdio: 'pipe' }).status === 0,
    detach: (cgroup) => void execFileSync('bpftool', words('detach', cgroup), { stdio: 'pipe' }),
    close: () => api.objectClose(object),
  };
};

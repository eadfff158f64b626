/** Who a window counts for and whom a verdict hits. Types and their canonical text, nothing else. */

export const SUBJECT_KINDS = [
  'process',
  'lineage',
  'session',
  'cgroup',
  'unit',
  'container',
  'user',
  'exe',
  'source',
  'destination',
] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Subjects a policy may block. */
export const BLOCKABLE = [
  'process',
  'lineage',
  'session',
  'cgroup',
  'unit',
  'container',
  'source',
  'destination',
] as const satisfies readonly SubjectKind[];
export type Blockable = (typeof BLOCKABLE)[number];

/**
 * `id` by kind:
 * process, lineage `PID@TICK` (start in 10 ms ticks since boot; a lineage is named by its root) ·
 * session audit session id · cgroup inode of its folder · unit `nginx.service` · container full id ·
 * user uid · exe absolute path · source ADDR (IPv6: ADDR/64) · destination `ADDR:PORT`, `[V6]:PORT`.
 */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
  /** For people: `hydra (pid 4242)`, `/system.slice/nginx.service`. May hold text from a process. */
  readonly name: string;
}

export const subjectKey = (subject: Pick<Subject, 'kind' | 'id'>): string => `${subject.kind}:${subject.id}`;

export const processId = (pid: number, startTick: number): string => `${pid}@${startTick}`;

/** The two numbers of a process or lineage id, or undefined when it is not one. */
export const parseProcessId = (id: string): { pid: number; startTick: number } | undefined => {
  const match = /^(\d+)@(\d+)$/.exec(id);
  return match ? { pid: Number(match[1]), startTick: Number(match[2]) } : undefined;
};

export const destinationId = (ip: string, port: number): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

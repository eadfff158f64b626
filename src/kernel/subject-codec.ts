/** Between a subject as people name it and the key the hooks look up. */
import { KG_SUBJECT_KIND, type KgSubject } from '../abi/generated.js';
import { SUBJECT_NAMES } from '../abi/subject-names.js';
import { ipFromBytes, ipToBytes } from '../lib/ip.js';
import { destinationId, parseProcessId, processId, type Subject } from '../model/subject.js';
import { type FileId, fileIdOf } from './executable.js';

const key = (kind: number, a: bigint, b = 0n, port = 0): KgSubject => ({ a, b, kind, port });

/** Undefined when the kernel has no such key: units, containers and remote addresses, or a missing file. */
export const encodeSubject = ({ kind, id }: Pick<Subject, 'kind' | 'id'>): KgSubject | undefined => {
  if (kind === 'process' || kind === 'lineage') {
    const parts = parseProcessId(id);
    const code = kind === 'process' ? KG_SUBJECT_KIND.PROCESS : KG_SUBJECT_KIND.LINEAGE;
    return parts && key(code, BigInt(parts.pid), BigInt(parts.startTick));
  }
  if (kind === 'session') return key(KG_SUBJECT_KIND.SESSION, BigInt(id));
  if (kind === 'cgroup') return key(KG_SUBJECT_KIND.CGROUP, BigInt(id));
  if (kind === 'user') return key(KG_SUBJECT_KIND.USER, BigInt(id));
  if (kind === 'exe') {
    const file = fileIdOf(id);
    return file && key(KG_SUBJECT_KIND.EXE, file.ino, BigInt(file.dev));
  }
  return kind === 'destination' ? encodeDestination(id) : undefined;
};

const encodeDestination = (id: string): KgSubject | undefined => {
  const match = /^\[?([^\]]*?)\]?:(\d+)$/.exec(id);
  const bytes = match?.[1] === undefined ? undefined : ipToBytes(match[1]);
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return key(
    KG_SUBJECT_KIND.DEST,
    view.getBigUint64(0, true),
    view.getBigUint64(8, true),
    Number(match?.[2]),
  );
};

/** `pathOf` names an executable by its inode; without it the id is `inode:device`. */
export const decodeSubject = (
  { a, b, kind, port }: KgSubject,
  pathOf: (file: FileId) => string | undefined = () => undefined,
): Pick<Subject, 'kind' | 'id'> | undefined => {
  const name = SUBJECT_NAMES[kind];
  if (name === undefined) return undefined;
  if (name === 'process' || name === 'lineage') return { kind: name, id: processId(Number(a), Number(b)) };
  if (name === 'exe') return { kind: name, id: pathOf({ ino: a, dev: Number(b) }) ?? `${a}:${b}` };
  if (name !== 'destination') return { kind: name, id: String(a) };
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, a, true);
  view.setBigUint64(8, b, true);
  return { kind: name, id: destinationId(ipFromBytes(bytes), port) };
};

export const subjectBit = (kind: number): bigint => 1n << BigInt(kind);

/** Which subjects an event kind can be counted for, told apart by, and blocked as. */
import type { EventKind } from '../model/event.js';
import type { DistinctField } from '../model/policy.js';
import { BLOCKABLE, type Blockable, SUBJECT_KINDS, type SubjectKind } from '../model/subject.js';

/** Kinds whose destination is somebody else. */
const OUTBOUND: ReadonlySet<EventKind> = new Set(['connect', 'connect.ok', 'connect.fail', 'send']);

/** Kinds that have a remote party who came to us. */
const INBOUND: ReadonlySet<EventKind> = new Set([
  'accept',
  'auth.start',
  'auth.attempt',
  'auth.success',
  'auth.failure',
  'auth.end',
  'session.open',
  'session.close',
]);

/** True when an event of the kind names such a subject. */
export const hasSubject = (kind: EventKind, subject: SubjectKind): boolean => {
  if (subject === 'source') return INBOUND.has(kind);
  return subject === 'destination' ? OUTBOUND.has(kind) : true;
};

/** What may be blocked after an event of the kind; a process that has exited is no longer there. */
export const mayBlock = (kind: EventKind, subject: Blockable): boolean =>
  hasSubject(kind, subject) && !(kind === 'exit' && subject === 'process');

/** The subjects every one of the kinds has. */
export const subjectsOf = (kinds: readonly EventKind[]): SubjectKind[] =>
  SUBJECT_KINDS.filter((subject) => kinds.every((kind) => hasSubject(kind, subject)));

/** What may be blocked after any of the kinds. */
export const blockableBy = (kinds: readonly EventKind[]): Blockable[] =>
  BLOCKABLE.filter((subject) => kinds.every((kind) => mayBlock(kind, subject)));

/** True when an event of the kind has the value that is told apart. */
export const hasDistinct = (kind: EventKind, field: DistinctField): boolean =>
  field === 'user' || OUTBOUND.has(kind);

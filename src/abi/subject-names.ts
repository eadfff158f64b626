/** The name of each subject kind the kernel knows, for all who read its records and entries. */
import type { SubjectKind } from '../model/subject.js';
import { KG_SUBJECT_KIND } from './generated.js';

export const SUBJECT_NAMES: Readonly<Record<number, SubjectKind>> = {
  [KG_SUBJECT_KIND.PROCESS]: 'process',
  [KG_SUBJECT_KIND.LINEAGE]: 'lineage',
  [KG_SUBJECT_KIND.SESSION]: 'session',
  [KG_SUBJECT_KIND.CGROUP]: 'cgroup',
  [KG_SUBJECT_KIND.USER]: 'user',
  [KG_SUBJECT_KIND.EXE]: 'exe',
  [KG_SUBJECT_KIND.DEST]: 'destination',
};

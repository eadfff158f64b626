/** From a subject to the keys of kg_verdicts that stand for it. */
import { KG_SUBJECT_KIND, type KgSubject } from '../abi/generated.js';
import { encodeSubject } from '../kernel/subject-codec.js';
import { ZERO_ID } from '../lib/hex-id.js';
import type { DesiredEntry } from '../model/desired.js';
import type { Subject } from '../model/subject.js';

/** What the agent knows of the host and an enforcer needs. */
export interface HostView {
  /** Ids of the cgroups a unit or container has now. */
  cgroupsOf(subject: Subject): readonly string[];
  /** Ids (`PID@TICK`) of the process and all its living descendants, reparented ones too. */
  treeOf(id: string): readonly string[];
}

export interface Target {
  readonly key: KgSubject;
  /** Children get the same entry at birth. */
  readonly inherit: boolean;
}

/** An operator's lineage: a process and all below it. A policy's lineage is one key the hooks know. */
export const isTree = ({ subject, rule }: DesiredEntry): boolean =>
  subject.kind === 'lineage' && rule === ZERO_ID;

/**
 * A unit or container is each of its cgroups. An operator's lineage is a process and all below it, which
 * need not be a lineage of its own: each member gets an entry that its children inherit.
 */
export const targetsOf = (entry: DesiredEntry, host: HostView): Target[] => {
  const { subject } = entry;
  if (subject.kind === 'unit' || subject.kind === 'container') {
    return host.cgroupsOf(subject).map((id) => ({ key: cgroupKey(id), inherit: false }));
  }
  const key = encodeSubject(subject);
  const own = key ? [{ key, inherit: false }] : [];
  if (!isTree(entry)) return own;
  const members = host.treeOf(subject.id).flatMap((id) => encodeSubject({ kind: 'process', id }) ?? []);
  return [...own, ...members.map((member) => ({ key: member, inherit: true }))];
};

const cgroupKey = (id: string): KgSubject => ({
  a: BigInt(id),
  b: 0n,
  kind: KG_SUBJECT_KIND.CGROUP,
  port: 0,
});

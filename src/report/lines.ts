/** What the agent says to people, a line each; text that came from a process is made harmless. */
import { counted } from '../lib/counted.js';
import { sanitize } from '../lib/sanitize.js';
import type { Decision, Mode } from '../model/decision.js';
import type { Finding } from '../model/finding.js';
import type { Outcome } from '../model/outcome.js';
import type { Subject } from '../model/subject.js';

/** `hydra (pid 4242)`, `session 3`; kinds whose name does not say what they are get it in front. */
export const subjectText = (subject: Subject): string => {
  const bare = subject.kind === 'process' || subject.name.startsWith(subject.kind);
  return sanitize(bare ? subject.name : `${subject.kind} ${subject.name}`);
};

/** Puts the executable into the parentheses of a process's name. */
const withExe = (subject: Subject, exe: string | undefined): string => {
  const text = subjectText(subject);
  if (subject.kind !== 'process' || !exe || !text.endsWith(')')) return text;
  return `${text.slice(0, -1)}, ${sanitize(exe)})`;
};

/** A new denial: whom, why, and how to lift it. `exe`: executable of a process subject. */
export const denialLine = (decision: Decision, exe?: string): string => {
  const verb = decision.mode === 'enforce' ? 'denied' : 'would deny';
  const author = decision.by === 'operator' ? 'operator' : sanitize(decision.policy);
  const who = withExe(decision.subject, exe);
  return `${verb} ${who} by ${author}: ${sanitize(decision.reason)}; lift: kerngate unblock ${decision.id}`;
};

/** The end of a denial. `why`: `expired`, `unblock by uid 0`. */
export const liftedLine = (decision: Decision, why: string): string => {
  const hits = decision.hits === 1 ? '1 hit' : `${decision.hits} hits`;
  return `lifted ${subjectText(decision.subject)} (${decision.id}): ${sanitize(why)}, ${hits}`;
};

export const findingLine = (finding: Finding): string =>
  `finding ${finding.severity} ${sanitize(finding.policy)}: ${subjectText(finding.subject)}: ${sanitize(finding.summary)}`;

/** Something enforcement could not do. */
export const failureLine = (outcome: Outcome): string =>
  `failed ${subjectText(outcome.subject)} (${outcome.decision}): ${sanitize(outcome.error ?? 'no reason given')}`;

export const modeLine = (mode: Mode, why: string): string => `mode ${mode}: ${sanitize(why)}`;

export interface Counts {
  readonly events: number;
  readonly perSecond: number;
  readonly findings: number;
  readonly denied: number;
  /** Attempts that audit mode let pass. */
  readonly wouldDeny: number;
  readonly blocks: number;
  readonly lost: number;
}

/** The line of each minute. */
export const countsLine = (counts: Counts): string =>
  [
    `counts ${counted(counts.events, 'event')} (${counts.perSecond.toFixed(1)}/s)`,
    counted(counts.findings, 'finding'),
    `${counts.denied} denied`,
    `${counts.wouldDeny} would be denied`,
    counted(counts.blocks, 'block'),
    `${counts.lost} lost`,
  ].join(', ');

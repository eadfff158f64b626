/** Who is protected by birth: the agent, PID 1, and the ancestors of the agent and of each root client. */
import type { Guardrails } from '../decide/guardrails.js';
import { ancestors, startTickOf } from '../lib/proc.js';
import { parseProcessId } from '../model/subject.js';

const SSHD = /^sshd(-session|-auth)?$/;
const isSshd = ({ comm, exe }: { comm: string; exe: string }): boolean =>
  SSHD.test(exe.slice(exe.lastIndexOf('/') + 1)) || (exe === '' && SSHD.test(comm));

export const protectHost = (guardrails: Guardrails): void => {
  guardrails.protect({ pid: 1, startTick: startTickOf(1) ?? 0, why: 'PID 1' });
  guardrails.protect({ pid: process.pid, startTick: startTickOf(process.pid) ?? 0, why: 'the agent itself' });
  protectAncestors(guardrails, process.pid, 'an ancestor of the agent');
};

/**
 * The ancestors of a process up to their sshd: to the last of the sshd processes that stand above one
 * another, or to PID 1 where there is none. Each by start time; never their other descendants.
 */
export const protectAncestors = (guardrails: Guardrails, pid: number, why: string): void => {
  let seenSshd = false;
  for (const ancestor of ancestors(pid)) {
    if (seenSshd && !isSshd(ancestor)) return;
    seenSshd ||= isSshd(ancestor);
    guardrails.protect({ pid: ancestor.pid, startTick: ancestor.startTick, why });
  }
};

/** Of all that is protected, the processes. */
export const protectedProcesses = (guardrails: Guardrails): { pid: number; startTick: number }[] =>
  guardrails.protected().flatMap(({ entry: { subject } }) => {
    const process = subject.kind === 'process' ? parseProcessId(subject.id) : undefined;
    return process === undefined ? [] : [process];
  });

/** Who is protected: the agent, PID 1, what the host needs, and the ancestors of the agent and of each client. */
import type { Guardrails } from '../decide/guardrails.js';
import { ancestors, startTickOf } from '../lib/proc.js';
import { parseProcessId } from '../model/subject.js';
import type { Agent } from './agent.js';
import type { Host } from './host.js';
import { isVitalProgram } from './vital.js';

const SSHD = /^sshd(-session|-auth)?$/;
const isSshd = ({ comm, exe }: { comm: string; exe: string }): boolean =>
  SSHD.test(exe.slice(exe.lastIndexOf('/') + 1)) || (exe === '' && SSHD.test(comm));

export const protectHost = (host: Host, guardrails: Guardrails): void => {
  host.vitals.watch(guardrails);
  host.askProtected(() => {
    host.vitals.refresh(); /* a block of a group must find the sshd that was started this second */
    return protectedProcesses(guardrails);
  });
  guardrails.protect({ pid: 1, startTick: startTickOf(1) ?? 0, why: 'PID 1' });
  guardrails.protect({ pid: process.pid, startTick: startTickOf(process.pid) ?? 0, why: 'the agent itself' });
  protectAncestors(guardrails, process.pid, 'an ancestor of the agent');
  host.vitals.refresh();
};

/** An sshd or a name server that has just been started is spared before its first attempt is long over. */
export const protectStarted = ({ host, pipeline }: Pick<Agent, 'host' | 'pipeline'>, exe: string): void => {
  if (!isVitalProgram(exe)) return;
  host.vitals.refresh();
  if (host.vitals.takeChange()) pipeline.enforce();
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
const protectedProcesses = (guardrails: Guardrails): { pid: number; startTick: number }[] =>
  guardrails.protected().flatMap(({ entry: { subject } }) => {
    const process = subject.kind === 'process' ? parseProcessId(subject.id) : undefined;
    return process === undefined ? [] : [process];
  });

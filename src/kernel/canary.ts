/**
 * The proof that enforcement works: a child that is not exempt gets a verdict and tries to connect. An
 * attach that succeeded proves nothing; only the refused call and the moved counter do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KG_ENTRY, KG_VERDICT_KIND } from '../abi/generated.js';
import { startTickOf } from '../lib/proc.js';
import { KerngateError } from '../model/error.js';
import { processId } from '../model/subject.js';
import { canaryId, isCanary } from './entries.js';
import type { Maps } from './maps.js';
import { encodeSubject, subjectBit } from './subject-codec.js';

const FOLDER = 'kerngate-canary-';
const LIMIT_MS = 60_000;
/** A connected UDP socket sends nothing, yet its connect passes the gate. */
const CHILD = `
const socket = require('node:dgram').createSocket('udp4');
process.stdin.once('data', () => {
  const tell = (result) => { process.stdout.write(result + '\\n', () => process.exit(0)); };
  socket.on('error', (error) => tell(error.code ?? 'ERROR'));
  socket.connect(9, '127.0.0.1', (error) => tell(error ? error.code : 'OK'));
});
process.stdin.on('end', () => process.exit(0));
process.stdout.write('up\\n');
`;

export interface CanaryResult {
  /** `EPERM`, `OK`, or another errno name. */
  readonly result: string;
  /** Hits of the canary's own verdict: 1 when the hook ran and found it. */
  readonly hits: number;
  readonly pid: number;
}

/** Runs the canary inside `scope`; `onPid` is told its pid before anything happens. */
export const runCanary = async (
  maps: Maps,
  scope: string,
  nowNs: number,
  onPid: (pid: number) => void = () => undefined,
): Promise<CanaryResult> => {
  removeLeftOvers(maps, scope);
  /* a process group of its own: ^C at the terminal is for the agent, which ends the canary itself */
  const child = spawn(process.execPath, ['-e', CHILD], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
    detached: true,
  });
  /* a child that died answers nothing, which is its result; the broken pipe says no more */
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  const told = lines[Symbol.asyncIterator]();
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const cgroup = makeCgroup(scope);
  try {
    if (child.pid === undefined) throw new KerngateError('the canary process could not be started');
    onPid(child.pid);
    await told.next();
    writeFileSync(join(cgroup, 'cgroup.procs'), String(child.pid));
    return await tryConnect(maps, child, child.pid, nowNs, async () =>
      String((await told.next()).value ?? 'DIED'),
    );
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (cgroup !== scope) await removeCgroup(cgroup);
  }
};

const tryConnect = async (
  maps: Maps,
  child: ChildProcess,
  pid: number,
  nowNs: number,
  answer: () => Promise<string>,
): Promise<CanaryResult> => {
  const key = encodeSubject({ kind: 'process', id: processId(pid, startTickOf(pid) ?? 0) });
  if (!key) throw new KerngateError('the canary process is gone');
  maps.control.set('SUBJECTS', maps.control.get('SUBJECTS') | subjectBit(key.kind));
  const at = BigInt(Math.round(nowNs));
  maps.verdicts.set(key, {
    since_ns: at + 1n,
    until_ns: at + 120_000_000_000n,
    decision: canaryId(pid),
    rule: 0n,
    hits: 0n,
    last_ns: 0n,
    verdict: KG_VERDICT_KIND.DENY,
    inherit: KG_ENTRY.ALONE,
  });
  try {
    child.stdin?.write('go\n');
    const result = await answer();
    return { result, hits: Number(maps.verdicts.get(key)?.hits ?? 0n), pid };
  } finally {
    maps.verdicts.delete(key);
    maps.sessions.delete({ tgid: pid, tick: key.b });
  }
};

/** An agent killed in the middle of its proof left its canary's entry and cgroup. */
const removeLeftOvers = (maps: Maps, scope: string): void => {
  for (const [key, { decision }] of maps.verdicts.entries()) {
    if (isCanary(decision) && startTickOf(Number(key.a)) !== Number(key.b)) maps.verdicts.delete(key);
  }
  for (const name of readdirSync(scope)) {
    const maker = name.startsWith(FOLDER) ? Number.parseInt(name.slice(FOLDER.length), 10) : Number.NaN;
    if (Number.isNaN(maker) || startTickOf(maker) !== undefined) continue;
    try {
      rmdirSync(join(scope, name));
    } catch {
      /* its last member is still leaving; the next proof removes it */
    }
  }
};

/** A cgroup of its own keeps the canary out of everybody's counts; where none can be made, the scope serves. */
const makeCgroup = (scope: string): string => {
  try {
    return mkdtempSync(join(scope, `${FOLDER}${process.pid}-`));
  } catch {
    mkdirSync(scope, { recursive: true });
    return scope;
  }
};

/** The kernel lets go of a dead member's cgroup a moment after its exit. */
const removeCgroup = async (path: string): Promise<void> => {
  for (let attempt = 0; attempt < 50; attempt++) {
    try {
      rmdirSync(path);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
};

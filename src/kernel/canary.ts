/**
 * The proof that enforcement works: a child that is not exempt gets a verdict and tries to connect. An
 * attach that succeeded proves nothing; only the refused call and the moved counter do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KG_ENTRY, KG_REACH, KG_VERDICT_KIND } from '../abi/generated.js';
import { startTickOf } from '../lib/proc.js';
import { KerngateError } from '../model/error.js';
import { processId } from '../model/subject.js';
import { canaryId, isCanary, raiseReach } from './entries.js';
import type { Maps } from './maps.js';
import { encodeSubject, subjectBit } from './subject-codec.js';

const FOLDER = 'kerngate-canary-';
const LIMIT_MS = 60_000;
/** A connected UDP socket sends nothing, yet its connect passes every hook. One attempt for each line. */
const CHILD = `
const dgram = require('node:dgram');
const tell = (result) => process.stdout.write(result + '\\n');
process.stdin.on('data', () => {
  const socket = dgram.createSocket('udp4');
  const end = (result) => { socket.close(); tell(result); };
  socket.connect(9, '127.0.0.1', (error) => end(error ? (error.code ?? 'ERROR') : 'OK'));
});
process.stdin.on('end', () => process.exit(0));
tell('up');
`;

export interface CanaryResult {
  /** `EPERM`, `OK`, or another errno name. */
  readonly result: string;
  /** Hits of the canary's own verdict: 1 when the hook ran and found it. */
  readonly hits: number;
}

/** Who is to answer the canary: the gate, or the guard of a level; the others let it pass. */
export type Prover = 'gate' | 'lsm' | 'fmod_ret';

const ENTRY: Readonly<Record<Prover, number>> = {
  gate: KG_ENTRY.GATE,
  lsm: KG_ENTRY.LSM,
  fmod_ret: KG_ENTRY.FMOD,
};

export interface Canary {
  /** One attempt under a deny entry of its own. A child that died answers `DIED`. */
  attempt(prover: Prover, nowNs: number): Promise<CanaryResult>;
}

/** Runs a canary inside `scope` for the time of `work`; `onPid` is told its pid before anything happens. */
export const withCanary = async <T>(
  maps: Maps,
  scope: string,
  onPid: (pid: number) => void,
  work: (canary: Canary) => Promise<T>,
): Promise<T> => {
  removeLeftOvers(maps, scope);
  /* a process group of its own: ^C at the terminal is for the agent, which ends the canary itself */
  const child = spawn(process.execPath, ['-e', CHILD], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {},
    detached: true,
  });
  /* a child that died answers nothing, which is its result; the broken pipe says no more */
  child.stdin.on('error', () => undefined);
  const answers = answersOf(child);
  const cgroup = makeCgroup(scope);
  try {
    if (child.pid === undefined) throw new KerngateError('the canary process could not be started');
    const { pid } = child;
    onPid(pid);
    await answers();
    writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
    return await work({
      attempt: (prover, nowNs) => tryConnect(maps, child, pid, ENTRY[prover], nowNs, answers),
    });
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    if (cgroup !== scope) await removeCgroup(cgroup);
  }
};

/** The child's lines, one for each call; a child that hangs is ended. */
const answersOf = (child: ChildProcess): (() => Promise<string>) => {
  if (!child.stdout) throw new KerngateError('the canary process has no output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    try {
      return String((await lines.next()).value ?? 'DIED');
    } finally {
      clearTimeout(timer);
    }
  };
};

const tryConnect = async (
  maps: Maps,
  child: ChildProcess,
  pid: number,
  entry: number,
  nowNs: number,
  answer: () => Promise<string>,
): Promise<CanaryResult> => {
  const key = encodeSubject({ kind: 'process', id: processId(pid, startTickOf(pid) ?? 0) });
  if (!key) throw new KerngateError('the canary process is gone');
  maps.control.set('SUBJECTS', maps.control.get('SUBJECTS') | subjectBit(key.kind));
  raiseReach(maps, KG_REACH.NEW);
  const at = BigInt(Math.round(nowNs));
  maps.verdicts.set(key, {
    since_ns: at + 1n,
    until_ns: at + 120_000_000_000n,
    decision: canaryId(pid),
    rule: 0n,
    hits: 0n,
    last_ns: 0n,
    verdict: KG_VERDICT_KIND.DENY,
    inherit: entry,
    reach: KG_REACH.NEW,
  });
  try {
    child.stdin?.write('go\n');
    const result = await answer();
    return { result, hits: Number(maps.verdicts.get(key)?.hits ?? 0n) };
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

/** What the life-cycle tests share: the pinned maps as they are, another build, and the agent's own log. */
import { appendFileSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { closeMaps, type Maps, pinnedMaps } from '../../src/kernel/maps.js';
import { native } from '../../src/kernel/native.js';
import type { Decision } from '../../src/model/decision.js';
import { type Running, type Stand, until } from './stand.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Reads or writes the stand's pinned maps, as a command without an agent does. */
export const withMaps = <T>(stand: Stand, work: (maps: Maps) => T): T => {
  const maps = pinnedMaps(native(), stand.pin);
  try {
    return work(maps);
  } finally {
    closeMaps(maps);
  }
};

export const bootNs = (): bigint => BigInt(Math.floor(native().bootNs()));

/** `until` of the first live window of the stand, ns since boot. */
export const windowEnd = (stand: Stand): bigint =>
  withMaps(stand, (maps) => {
    const [end] = maps.windows.entries().flatMap(([, { verdict, until_ns }]) => (verdict ? [until_ns] : []));
    if (end === undefined) throw new Error('no window holds a verdict');
    return end;
  });

export const blocks = (stand: Stand): Promise<Decision[]> => stand.json<Decision[]>('blocks');

/** The one block there is, once it is there. */
export const oneBlock = async (stand: Stand): Promise<Decision> => {
  let found: Decision[] = [];
  await until('there is one block', async () => {
    found = await blocks(stand);
    return found.length === 1;
  });
  return found[0] as Decision;
};

/** A process that has just met its limit; each further attempt waits for `step()`. */
export const blockedStepper = async (stand: Stand, cgroup = stand.cgroup): Promise<Running> => {
  const attacker = stand.connectorIn(cgroup, 'step', 0);
  for (let attempt = 0; attempt < 5; attempt++) await expectStep(attacker, 'passed');
  await expectStep(attacker, 'denied');
  return attacker;
};

export const expectStep = async (attacker: Running, wanted: 'passed' | 'denied'): Promise<void> => {
  const got = await attacker.step();
  if (got !== wanted) throw new Error(`the attempt was ${got}, not ${wanted}`);
};

export const killAgent = async (stand: Stand): Promise<void> => {
  await stand.agent?.kill('SIGKILL');
};

/** main.js of a copy of this build whose BPF object is another file: bytes behind its end change no code. */
export const otherBuild = (stand: Stand, name: string): string => {
  const copy = join(stand.dir, name);
  mkdirSync(join(copy, 'bpf/build'), { recursive: true });
  for (const path of ['dist', 'native/build/Release', 'package.json', 'bpf/build/kerngate.bpf.o'])
    cpSync(join(ROOT, path), join(copy, path), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  appendFileSync(join(copy, 'bpf/build/kerngate.bpf.o'), name);
  return join(copy, 'dist/main.js');
};

/** Lines of the audit log of one kind. */
export const audited = (stand: Stand, event: string): Record<string, never>[] =>
  readFileSync(join(stand.state, 'audit.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .filter((line) => line.event === event);

/** Who calls itself the agent of these maps. */
export const agentPid = (stand: Stand): number => withMaps(stand, ({ control }) => control.number('AGENT'));

/**
 * What each program costs the verifier and the processor's cache, per kernel, against the table beside this
 * file. It fails beyond twice the table's figures: such a growth is a decision, not an accident. To accept
 * one, or to add a kernel: KERNGATE_WRITE_INSTRUCTIONS=1. Other kernels are held to the dearest figures known.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { native } from '../../src/kernel/native.js';
import { checkObjectFile } from '../../src/kernel/object-file.js';

/** Instructions the verifier walked (0 where the kernel does not tell, before 5.16), and bytes of machine code. */
interface Cost {
  readonly insns: number;
  readonly jited: number;
}
type Table = Readonly<Record<string, Readonly<Record<string, Cost>>>>;

const FILE = fileURLToPath(new URL('instructions.json', import.meta.url));
const MOST_GROWTH = 2;

/** The programs this kernel takes, one load each: what one of them lacks must not hide the others. */
const costs = (): Record<string, Cost> => {
  const api = native();
  const { path } = checkObjectFile();
  const opened = api.objectOpen(path);
  const names = api.objectPrograms(opened).sort();
  api.objectClose(opened);
  const found: Record<string, Cost> = {};
  for (const name of names) {
    const object = api.objectOpen(path);
    for (const other of names) api.setAutoload(object, other, other === name);
    try {
      api.objectLoad(object);
      const { insns, jited } = api.programInfo(object, name);
      found[name] = { insns, jited };
    } catch {
      /* this kernel has no such hook; the trial of levels and sources says so by name */
    } finally {
      api.objectClose(object);
    }
  }
  return found;
};

/** For a kernel that is not in the table: what the program costs at most on those that are. */
const dearest = (table: Table, name: string): Cost => {
  const all = Object.values(table).flatMap((programs) => programs[name] ?? []);
  return {
    insns: Math.max(...all.map(({ insns }) => insns)),
    jited: Math.max(...all.map(({ jited }) => jited)),
  };
};

const series = release().split('.').slice(0, 2).join('.');

it(`no program has grown beyond ${MOST_GROWTH} times its figures on this kernel`, () => {
  const table = JSON.parse(readFileSync(FILE, 'utf8')) as Table;
  const now = costs();
  if (process.env.KERNGATE_WRITE_INSTRUCTIONS !== undefined) {
    writeFileSync(FILE, `${JSON.stringify({ ...table, [series]: now }, null, 2)}\n`);
    return;
  }
  const known = table[series];
  if (known) expect(Object.keys(now)).toEqual(Object.keys(known));
  for (const [name, { insns, jited }] of Object.entries(now)) {
    const most = known?.[name] ?? dearest(table, name);
    expect(insns, `${name}: verified instructions`).toBeLessThanOrEqual(most.insns * MOST_GROWTH);
    expect(jited, `${name}: bytes of machine code`).toBeLessThanOrEqual(most.jited * MOST_GROWTH);
  }
});

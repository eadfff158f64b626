/** A writer is killed again and again, also while it rewrites; what it had confirmed is always there. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Book } from '../../../src/decide/book.js';
import { FileJournal } from '../../../src/decide/journal.js';
import { HandClock } from './world.js';

const ROOT = resolve(import.meta.dirname, '../../..');
const ROUNDS = 23;
let dir = '';
let built = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'kerngate-kill-'));
  built = join(dir, 'built');
  const project = join(dir, 'tsconfig.json');
  const compilerOptions = {
    rootDir: join(ROOT, 'src'),
    outDir: built,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const files = ['journal', 'book'].map((name) => join(ROOT, `src/decide/${name}.ts`));
  writeFileSync(
    project,
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', project], { stdio: 'inherit' });
}, 60_000);

afterAll(() => rmSync(dir, { recursive: true }));

/** Runs a writer until it has confirmed `wanted` records, kills it, and answers the last one confirmed. */
const writeAndKill = async (state: string, first: number, wanted: number): Promise<number> => {
  const script = join(ROOT, 'test/unit/decide/fixtures/writer.mjs');
  const child = spawn(process.execPath, [script, built, state, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = first - 1;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last >= first + wanted) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode).toBe('SIGKILL');
  return last;
};

it('loses nothing it confirmed', async () => {
  const state = join(dir, 'state');
  let next = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const last = await writeAndKill(state, next, (round * 7) % 50);
    const journal = new FileJournal({ stateDir: state, lock: () => {}, rewriteAfter: 40 });
    const { history } = journal;
    const book = new Book({ clock: new HandClock(), bootId: 'boot-1', history });
    const isThere = (n: number): boolean => book.state.tombstones.ids.has(n.toString(16).padStart(16, '0'));
    expect(Array.from({ length: last + 1 }, (_, n) => n).filter((n) => !isThere(n))).toEqual([]);
    expect(journal.stats().damaged).toBe(0);
    // One more may have been written and not yet confirmed; never two.
    expect(isThere(last + 2)).toBe(false);
    next = last + 1;
  }
}, 120_000);

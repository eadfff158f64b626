/** `npm run bench`: the list, and what it says to a slip. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, ROOT } from '../unit/structure/tree.js';

const bench = (...args: string[]): Promise<{ code: unknown; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(join(ROOT, 'scripts/bench'), args, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });

describe('npm run bench', () => {
  it('lists every bench with a sentence', async () => {
    const { code, stdout } = await bench();
    const listed = [...stdout.matchAll(/^([a-z-]+) +[a-z].+$/gm)].map(([, name]) => `bench/${name}.ts`);
    const files = filesBelow('bench', /^[a-z-]+\.ts$/).filter((file) => file.split('/').length === 2);
    expect(code).toBe(0);
    expect(listed).toEqual(files.filter((file) => file !== 'bench/main.ts'));
  });

  it.each([
    [['nothing'], 'no bench named nothing'],
    [['detectors', 'escape'], 'one bench at a time'],
    [['detectors', '--rounds', '0'], '--rounds takes a whole number'],
    [['detectors', '-o', 'xml'], '-o takes table or json'],
    [['detectors', '--fast'], 'fast'],
  ])('refuses %j', async (args, words) => {
    const { code, stdout, stderr } = await bench(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(words);
    expect(stderr).toContain('usage: npm run bench');
  });
});

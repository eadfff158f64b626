/** Golden cases: a capture and policies go in, and exactly these lines come out of the built program. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nowhere, run } from '../cli/program.js';

const ROOT = 'test/cases/replay';
const CASES = readdirSync(ROOT).sort();

describe('replay', () => {
  it.each(CASES)('%s', async (name) => {
    const folder = join(ROOT, name);
    const files = readdirSync(folder);
    const capture = join(folder, 'capture.jsonl');
    const against = files.includes('against.yaml') ? ['--against', join(folder, 'against.yaml')] : [];
    const line = ['-o', 'json', 'replay', capture, '--policy', join(folder, 'policy.yaml'), ...against];
    const { code, stdout, stderr } = await run(line, nowhere());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(readFileSync(join(folder, 'expected.jsonl'), 'utf8'));
  });

  it('comes out the same in another time zone, language and folder', async () => {
    const folder = join(ROOT, 'sixth-connect-is-denied');
    const line = (dir: string) => [
      'replay',
      join(dir, 'capture.jsonl'),
      '--policy',
      join(dir, 'policy.yaml'),
    ];
    for (const output of ['table', 'json', 'raw']) {
      const here = await run([...line(folder), '-o', output], { ...nowhere(), TZ: 'UTC', LANG: 'C' });
      const there = await run([...line(`./test/../${folder}`), '-o', output], {
        ...nowhere(),
        TZ: 'Asia/Kathmandu',
        LANG: 'tr_TR.UTF-8',
        LC_ALL: 'tr_TR.UTF-8',
      });
      expect(there).toEqual(here);
    }
  });
});

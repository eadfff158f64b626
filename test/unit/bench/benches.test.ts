/** Every bench says what it measures and is in the document; the bench of detectors runs. */
import { describe, expect, it } from 'vitest';
import type { Bench } from '../../../bench/lib/bench.js';
import { evaluate } from '../../../bench/lib/stats.js';
import { filesBelow, read } from '../structure/tree.js';

const FILES = filesBelow('bench', /^[a-z-]+\.ts$/).filter((file) =>
  /^bench\/(?!main)[a-z-]+\.ts$/.test(file),
);
const DOCUMENT = read('docs/benchmarks.md');

const load = async (file: string): Promise<Bench> => (await import(`../../../${file}`)) as Bench;

describe('benches', () => {
  it('were found', () => {
    expect(FILES.length).toBeGreaterThan(4);
  });

  it.each(FILES)('%s says what it measures, and is in the document', async (file) => {
    const { summary, run } = await load(file);
    expect(summary).toMatch(/^[a-z].{20,100}[^.]$/);
    expect(run).toBeTypeOf('function');
    expect(DOCUMENT).toContain(`\n## \`${file.slice('bench/'.length, -'.ts'.length)}\`\n`);
  });
});

describe('the bench of detectors', () => {
  it('finds the same alarms in every layout', async () => {
    const bench = await load('bench/detectors.ts');
    const { sound, counts } = evaluate(await bench.run({ rounds: 1, tiny: true, say: () => {} }));
    expect(sound).toBe(true);
    const alarms = counts.filter(({ name }) => name.startsWith('alarms')).map(({ value }) => value);
    expect(new Set(alarms).size).toBe(1);
    expect(alarms[0]).toBeGreaterThan(100);
  });
});

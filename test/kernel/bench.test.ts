/** The benches that need a kernel run, and what they count is right; how fast it was is not asked. */
import { expect, it } from 'vitest';
import type { BenchOptions, BenchResult } from '../../bench/lib/bench.js';
import { evaluate } from '../../bench/lib/stats.js';

const OPTIONS: BenchOptions = { rounds: 1, tiny: true, say: () => {} };

const checked = async (run: (options: BenchOptions) => Promise<BenchResult>) => {
  const result = evaluate(await run(OPTIONS));
  expect(result.counts.filter(({ verdict }) => verdict === 'wrong')).toEqual([]);
  const value = (name: string): number | undefined =>
    result.counts.find((count) => count.name === name)?.value;
  return { ...result, value };
};

it('hand-over: every side reads the same records', async () => {
  const { run } = await import('../../bench/handover.js');
  const { rows } = await checked(run);
  expect(rows.map(({ name }) => name)).toContain('rows in JavaScript / C drain');
});

it('escape: of every sort of attack five connects pass', async () => {
  const { run } = await import('../../bench/escape.js');
  const { value } = await checked(run);
  expect(value('attacks')).toBe(14);
});

it('kernel-cost: the gate sees each attempt, and only while it is attached', async () => {
  const { run } = await import('../../bench/kernel-cost.js');
  const { value } = await checked(run);
  expect(value('attempts the gate saw, 16 rules')).toBeGreaterThan(1000);
});

it('quiet: nothing is refused, and the packet gate is where the traffic is', async () => {
  const { run } = await import('../../bench/quiet.js');
  const { value } = await checked(run);
  expect(value('packets seen in the proof, egress, no rules, no block')).toBe(200);
});

it('flood: each connect is counted', async () => {
  const { run } = await import('../../bench/flood.js');
  const { value } = await checked(run);
  expect(value('connects offered')).toBe(40_000);
});

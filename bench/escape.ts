/** Attackers of 1 to 64 threads on a rule the kernel decides, idle and under load: what passes beyond the limit. */
import { cpus } from 'node:os';
import { burst, type Running, type Stand, withStand } from '../test/kernel/stand.js';
import type { BenchOptions, BenchResult, Count } from './lib/bench.js';
import { requireRoot } from './lib/root.js';

export const summary =
  'connects that pass beyond the limit: attackers of 1 to 64 threads, idle and under load';

const LIMIT = 5;
const THREADS = [1, 2, 4, 8, 16, 32, 64] as const;
/** 72 attacks of each of the fourteen sorts: a thousand and eight. */
const ROUNDS = 72;
/** Connects of one attack, spread over its threads. */
const ATTEMPTS = 640;
/** Busy processes a CPU, for the load. */
const BUSY = 4;
const POLICY = burst({ limit: LIMIT });

interface Sums {
  attacks: number;
  escaped: number;
  /** Refused although the limit was not reached. */
  wronged: number;
  /** Attempts with another end than passed or denied. */
  other: number;
}

const attack = async (stand: Stand, threads: number, sums: Sums): Promise<void> => {
  const each = Math.ceil(ATTEMPTS / threads);
  const { passed, denied, other } = await stand.attack('threads', each, threads);
  sums.attacks++;
  sums.escaped += Math.max(0, passed - LIMIT);
  sums.wronged += Math.max(0, LIMIT - passed);
  sums.other += other + Math.abs(each * threads - passed - denied - other);
};

/** Every number of threads in each round, so that no sort has a quieter machine than another. */
const matrix = async (stand: Stand, rounds: number): Promise<Map<number, Sums>> => {
  const sums = new Map<number, Sums>(
    THREADS.map((threads) => [threads, { attacks: 0, escaped: 0, wronged: 0, other: 0 }]),
  );
  for (let round = 0; round < rounds; round++)
    for (const [threads, sum] of sums) await attack(stand, threads, sum);
  return sums;
};

const load = (stand: Stand): Running[] =>
  Array.from({ length: BUSY * cpus().length }, () => stand.spawn('sh', ['-c', 'while :; do :; done']));

const countsOf = (sums: ReadonlyMap<number, Sums>, when: string): Count[] =>
  [...sums].flatMap(([threads, { attacks, escaped, wronged, other }]) => {
    const what = `${threads} threads, ${when}`;
    return [
      { name: `escaped of ${attacks} attacks, ${what}`, value: escaped, exactly: 0 },
      { name: `refused too early or ended otherwise, ${what}`, value: wronged + other, exactly: 0 },
    ];
  });

export const run = async ({ rounds = ROUNDS, say }: BenchOptions): Promise<BenchResult> => {
  requireRoot('it starts an agent that enforces in a cgroup of its own');
  const counts: Count[] = [];
  await withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    say(`idle: ${rounds} rounds of ${THREADS.length} attacks ...`);
    const idle = await matrix(stand, rounds);
    say('the same under load ...');
    const busy = load(stand);
    const loaded = await matrix(stand, rounds);
    for (const running of busy) await running.kill('SIGKILL');
    const all = [...idle.values(), ...loaded.values()].reduce((sum, { attacks }) => sum + attacks, 0);
    counts.push(...countsOf(idle, 'idle'), ...countsOf(loaded, `load of ${busy.length} busy processes`));
    counts.push({ name: 'attacks', value: all });
  });
  return { series: [], ratios: [], counts, notes: [`each attack: ${ATTEMPTS} connects, limit ${LIMIT}`] };
};

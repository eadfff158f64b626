/** As many connects as the machine can make against the whole agent: what it sees, what is lost, to the last one. */
import { countersOf } from '../test/kernel/acting.js';
import { compiled } from '../test/kernel/fixtures/compile.js';
import { burst, type Stand, until, withStand } from '../test/kernel/stand.js';
import type { BenchOptions, BenchResult, Series } from './lib/bench.js';
import { requireRoot } from './lib/root.js';

export const summary = 'connects a second offered to the whole agent, seen and dropped';

const ROUNDS = 9;
const PER_ROUND = 1_000_000;
const TINY = 20_000;
const THREADS = [1, 2] as const;
/** Counts in the kernel and matches nothing that floods. */
const POLICY = burst({ limit: 5, extra: 'match: {dst.port: 1}\n' });

type Counters = Record<string, number>;

/** Once all that was sent has been read or counted as lost. */
const settled = async (stand: Stand): Promise<Counters> => {
  let counters: Counters = {};
  await until('each event is seen or counted', async () => {
    counters = await countersOf(stand);
    const { ev_sent = 0, vd_sent = 0, ev_dropped = 0, vd_dropped = 0, events_seen = 0 } = counters;
    return ev_sent + vd_sent === events_seen + ev_dropped + vd_dropped;
  });
  return counters;
};

interface Round {
  /** Connects the generator made, and how many a second in millions. */
  readonly attempts: number;
  readonly offered: number;
  readonly dropped: number;
  /** Connects the gate did not count, or counted twice. */
  readonly missed: number;
}

const flood = async (stand: Stand, threads: number, connects: number): Promise<Round> => {
  const before = await settled(stand);
  const each = Math.floor(connects / threads);
  const words = [stand.cgroup, String(threads), String(each)];
  const line = await stand.spawn(compiled('flood'), words).line(/^attempts /);
  const [, attempts, ms] = /^attempts (\d+) in (\d+) ms/.exec(line) ?? [];
  const after = await settled(stand);
  const gained = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  return {
    attempts: Number(attempts),
    offered: Number(attempts) / Number(ms) / 1e3,
    dropped: gained('ev_dropped'),
    missed: Math.abs(gained('gate_hits') - Number(attempts)),
  };
};

export const run = async ({ rounds = ROUNDS, tiny, say }: BenchOptions): Promise<BenchResult> => {
  requireRoot('it starts an agent on a cgroup of its own');
  const connects = tiny ? TINY : PER_ROUND;
  const taken = new Map<number, Round[]>(THREADS.map((threads) => [threads, []]));
  await withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: POLICY });
    say(`${rounds} rounds of ${connects} connects by ${THREADS.join(' and by ')} threads ...`);
    for (let round = 0; round < rounds; round++)
      for (const [threads, list] of taken) list.push(await flood(stand, threads, connects));
  });
  const series = [...taken].flatMap(([threads, list]): Series[] => [
    {
      name: `offered by ${threads} threads`,
      unit: 'M/s',
      samples: list.map(({ offered }) => offered),
      least: 1,
    },
    {
      name: `dropped, ${threads} threads`,
      unit: '%',
      samples: list.map(({ dropped, attempts }) => (100 * dropped) / attempts),
    },
  ]);
  const all = [...taken.values()].flat();
  const missed = all.reduce((sum, round) => sum + round.missed, 0);
  return {
    series,
    ratios: [],
    counts: [
      { name: 'connects offered', value: all.reduce((sum, { attempts }) => sum + attempts, 0) },
      { name: 'of these dropped', value: all.reduce((sum, { dropped }) => sum + dropped, 0), most: 0 },
      { name: 'of these not counted by the gate', value: missed, exactly: 0 },
    ],
    notes: ['every event was seen or counted as dropped, or this bench would not have ended'],
  };
};

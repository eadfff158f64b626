/** What traffic costs while nobody is blocked: the same traffic in the same round with nothing attached. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { startTickOf } from '../src/lib/proc.js';
import type { DesiredEntry } from '../src/model/desired.js';
import { processId, type Subject } from '../src/model/subject.js';
import { Attachment } from './lib/attachment.js';
import type { BenchOptions, BenchResult, Count, Ratio, Series } from './lib/bench.js';
import { ROOT } from './lib/build.js';
import { Generator } from './lib/generator.js';
import { inTurn } from './lib/order.js';
import { requireRoot } from './lib/root.js';
import { quartiles } from './lib/stats.js';
import { Empty } from './quiet/empty.js';

export const summary =
  'cost of a TCP stream and of UDP requests with no block in force, and with one of a stranger';

const ROUNDS = 51;
const WARM_UP = 1;
/** Of each kind in each round: so many slices of so many sends or requests; the median slice is the sample. */
const SLICES = 5;
const COUNTS = { stream: 2000, udp: 2000, dns: 2000 } as const;
const TINY = { stream: 20, udp: 20, dns: 20 } as const;
type Kind = keyof typeof COUNTS;
const KINDS = Object.keys(COUNTS) as Kind[];
const TEXT = {
  stream: 'TCP stream, 64 KiB',
  udp: 'UDP request and answer, connected',
  dns: 'UDP request and answer, server unconnected',
} as const;
const NOTHING = 'nothing attached';
const EMPTY = 'empty programs';
const QUIET = 'no rules, no block';
const BLOCK = 'a stranger blocked';
/** Requests in the proof, each of two packets, which the packet gate sees as they leave and as they arrive. */
const PROOF = 100;
const GOAL = 1.03;

interface Side {
  readonly name: string;
  readonly attachment: Attachment | Empty | undefined;
  readonly samples: Record<Kind, number[]>;
}

const side = (name: string, attachment?: Attachment | Empty): Side => ({
  name,
  attachment,
  samples: { stream: [], udp: [], dns: [] },
});

const entry = (kind: Subject['kind'], id: string, verdict: DesiredEntry['verdict']): DesiredEntry => ({
  subject: { kind, id, name: id },
  verdict,
  decision: '000000000000000b',
  rule: '0'.repeat(16),
  deny: 'isolate',
  sinceNs: 1,
  untilNs: Number.POSITIVE_INFINITY,
});

/** This process, which sends nothing in the generator's cgroup, as `block --lineage --deny isolate` names it. */
const stranger = (): DesiredEntry =>
  entry('lineage', processId(process.pid, startTickOf(process.pid) ?? 0), 'deny');

/** The slices of one side in one round. */
const sample = async (
  generator: Generator<Kind>,
  counts: Readonly<Record<Kind, number>>,
): Promise<Record<Kind, number>> => {
  const slices: Record<Kind, number[]> = { stream: [], udp: [], dns: [] };
  for (let slice = 0; slice < SLICES; slice++)
    for (const kind of KINDS) slices[kind].push(await generator.cost(kind, counts[kind]));
  const median = (kind: Kind): number => quartiles(slices[kind]).median;
  return { stream: median('stream'), udp: median('udp'), dns: median('dns') };
};

const race = async (
  generator: Generator<Kind>,
  sides: readonly Side[],
  { rounds = ROUNDS, tiny }: BenchOptions,
): Promise<void> => {
  for (let round = -WARM_UP; round < rounds; round++) {
    await inTurn(sides.length, round + WARM_UP, async (index) => {
      const { attachment, samples } = sides[index] as Side;
      attachment?.attach();
      const costs = await sample(generator, tiny ? TINY : COUNTS);
      attachment?.detach();
      if (round >= 0) for (const kind of KINDS) samples[kind].push(costs[kind]);
    });
  }
};

/** That what was measured was attached to this very traffic: audited, each of its packets counts. */
const prove = async (generator: Generator<Kind>, { name, attachment }: Side): Promise<Count[]> => {
  if (!(attachment instanceof Attachment)) return [];
  const early = attachment.counter('DENIED') + attachment.counter('AUDITED');
  attachment.hold([entry('cgroup', statSync(generator.cgroup, { bigint: true }).ino.toString(), 'audit')]);
  attachment.attach();
  await generator.cost('udp', PROOF);
  attachment.detach();
  return [
    { name: `met by a verdict, ${name}`, value: early, exactly: 0 },
    ...['egress', 'ingress'].map((way) => ({
      name: `packets seen in the proof, ${way}, ${name}`,
      value: attachment.way(way).audited,
      exactly: 2 * PROOF,
    })),
  ];
};

const named = (kind: Kind, side: string): string => `${TEXT[kind]}, ${side}`;

const resultOf = (sides: readonly Side[], counts: readonly Count[]): BenchResult => {
  const series: Series[] = KINDS.flatMap((kind) =>
    sides.map(({ name, samples }) => ({ name: named(kind, name), unit: 'ns', samples: samples[kind] })),
  );
  const ratios: Ratio[] = KINDS.flatMap((kind) =>
    sides.slice(1).map(({ name }) => {
      const pair = { of: named(kind, name), to: named(kind, NOTHING) };
      return name === QUIET ? { ...pair, most: GOAL } : pair;
    }),
  );
  /* what is ours of it, and can be made cheaper here */
  const own: Ratio[] = KINDS.map((kind) => ({ of: named(kind, QUIET), to: named(kind, EMPTY) }));
  return { series, ratios: [...ratios, ...own], counts, notes: [] };
};

export const run = async (options: BenchOptions): Promise<BenchResult> => {
  requireRoot('it attaches BPF programs to a cgroup of its own');
  const generator = new Generator<Kind>(join(ROOT, 'bench/quiet/traffic.c'));
  const sides = [side(NOTHING)];
  try {
    await generator.ready();
    sides.push(side(EMPTY, new Empty(generator.cgroup)));
    sides.push(side(QUIET, new Attachment(generator.cgroup, [])));
    const blocking = new Attachment(generator.cgroup, []);
    sides.push(side(BLOCK, blocking));
    blocking.hold([stranger()]);
    options.say(`${options.rounds ?? ROUNDS} rounds of ${sides.length} sides ...`);
    await race(generator, sides, options);
    const counts: Count[] = [];
    for (const one of sides) counts.push(...(await prove(generator, one)));
    return resultOf(sides, counts);
  } finally {
    for (const { attachment } of sides) attachment?.close();
    await generator.close();
  }
};

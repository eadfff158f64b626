/** What a call costs with the hooks attached, against the same call in the same round with nothing attached. */
import { join } from 'node:path';
import { everyConnect, otherPorts } from './kernel-cost/rules.js';
import { Attachment } from './lib/attachment.js';
import type { BenchOptions, BenchResult, Count, Ratio, Series } from './lib/bench.js';
import { ROOT } from './lib/build.js';
import { Generator } from './lib/generator.js';
import { inTurn } from './lib/order.js';
import { requireRoot } from './lib/root.js';
import { quartiles } from './lib/stats.js';

export const summary = 'cost of connect and of an unrelated system call with 0, 1, 10 and 16 rules';

const ROUNDS = 31;
const WARM_UP = 1;
/** Of each kind in each round: so many slices of so many calls; the median slice is the sample. */
const SLICES = 5;
const CALLS = { tcp: 100, udp: 1000, getppid: 5000 } as const;
type Kind = keyof typeof CALLS;
const KINDS = Object.keys(CALLS) as Kind[];
const TEXT = { tcp: 'refused TCP connect', udp: 'UDP connect', getppid: 'getppid' } as const;
const NOTHING = 'nothing attached';

interface Side {
  readonly name: string;
  readonly attachment: Attachment | undefined;
  readonly samples: Record<Kind, number[]>;
}

const RULES = [
  ['no rules', []],
  ['1 rule', everyConnect(1)],
  ['10 rules', everyConnect(10)],
  ['16 rules', everyConnect(16)],
  ['16 rules of other ports', otherPorts(16)],
] as const;

const side = (name: string, attachment?: Attachment): Side => ({
  name,
  attachment,
  samples: { tcp: [], udp: [], getppid: [] },
});

/** The slices of one side in one round. */
const sample = async (generator: Generator<Kind>): Promise<Record<Kind, number>> => {
  const slices: Record<Kind, number[]> = { tcp: [], udp: [], getppid: [] };
  for (let slice = 0; slice < SLICES; slice++)
    for (const kind of KINDS) slices[kind].push(await generator.cost(kind, CALLS[kind]));
  const median = (kind: Kind): number => quartiles(slices[kind]).median;
  return { tcp: median('tcp'), udp: median('udp'), getppid: median('getppid') };
};

const race = async (generator: Generator<Kind>, sides: readonly Side[], rounds: number): Promise<void> => {
  for (let round = -WARM_UP; round < rounds; round++) {
    await inTurn(sides.length, round + WARM_UP, async (index) => {
      const { attachment, samples } = sides[index] as Side;
      attachment?.attach();
      const costs = await sample(generator);
      attachment?.detach();
      if (round >= 0) for (const kind of KINDS) samples[kind].push(costs[kind]);
    });
  }
};

const named = (kind: Kind, side: string): string => `${TEXT[kind]}, ${side}`;

const MOST: Partial<Record<string, number>> = {
  [named('tcp', '1 rule')]: 1.05,
  [named('getppid', '1 rule')]: 1.02,
};

const resultOf = (sides: readonly Side[], rounds: number): BenchResult => {
  const series: Series[] = KINDS.flatMap((kind) =>
    sides.map(({ name, samples }) => ({ name: named(kind, name), unit: 'ns', samples: samples[kind] })),
  );
  const ratios: Ratio[] = KINDS.flatMap((kind) =>
    sides.slice(1).map(({ name }) => {
      const most = MOST[named(kind, name)];
      const pair = { of: named(kind, name), to: named(kind, NOTHING) };
      return most === undefined ? pair : { ...pair, most };
    }),
  );
  const attempts = (rounds + WARM_UP) * SLICES * (CALLS.tcp + CALLS.udp);
  const counts: Count[] = sides.slice(1).flatMap(({ name, attachment }) => [
    {
      name: `attempts the gate saw, ${name}`,
      value: attachment?.counter('GATE_HITS') ?? 0,
      exactly: attempts,
    },
    { name: `denied, ${name}`, value: attachment?.counter('DENIED') ?? 0, exactly: 0 },
  ]);
  return { series, ratios, counts, notes: [] };
};

export const run = async ({ rounds = ROUNDS, say }: BenchOptions): Promise<BenchResult> => {
  requireRoot('it attaches BPF programs to a cgroup of its own');
  const generator = new Generator<Kind>(join(ROOT, 'bench/kernel-cost/generator.c'));
  const sides = [side(NOTHING)];
  try {
    await generator.ready();
    for (const [name, rules] of RULES) sides.push(side(name, new Attachment(generator.cgroup, rules)));
    say(`${rounds} rounds of ${sides.length} sides ...`);
    await race(generator, sides, rounds);
    return resultOf(sides, rounds);
  } finally {
    for (const { attachment } of sides) attachment?.close();
    await generator.close();
  }
};

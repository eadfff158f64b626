/** A capture through the whole replay, from the file, against the bare JSON parser on the same lines in memory. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Policy } from '../src/model/policy.js';
import { loadPolicies, placePolicies } from '../src/policy/index.js';
import { replayCapture } from '../src/replay/replay.js';
import type { BenchOptions, BenchResult } from './lib/bench.js';
import { inTurn } from './lib/order.js';

export const summary = 'replay of a capture from its file against JSON.parse of its lines';

const ROUNDS = 25;
/** The compiler takes its time over the longer way. */
const WARM_UP = 6;
const EVENTS = 60_000;
const TINY = 1_000;
const PROCESSES = 500;
const POLICIES = fileURLToPath(new URL('../policies/connect-burst.yaml', import.meta.url));

/** The same row of numbers each time. */
const random = (): (() => number) => {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state / 0x7fff_ffff;
  };
};

/** Seven connects in ten events, some of them a burst; the rest outcomes, forks, execs and exits. */
const eventOf = (number: number, ns: number, next: () => number): object => {
  const share = next();
  const burst = next() < 0.02;
  const pid = burst ? 77 : 1000 + Math.floor(next() * PROCESSES);
  const kinds = ['connect.ok', 'exec', 'fork', 'exit'] as const;
  const kind = share < 0.7 || burst ? 'connect' : kinds[share < 0.85 ? 0 : 1 + (number % 3)];
  const isNet = kind === 'connect' || kind === 'connect.ok';
  return {
    v: 1,
    at: new Date(Date.UTC(2026, 0, 1) + ns / 1e6).toISOString(),
    ...{ boot_ns: String(ns), kind, pid, start: String(50e9 + pid * 1e7), ppid: 900, session: 3, uid: 1000 },
    ...{ user: 'alice', comm: 'worker', exe: '/usr/bin/worker' },
    cmdline: '/usr/bin/worker --config /etc/worker/worker.conf --verbose',
    cgroup: { id: '5120', path: '/system.slice/worker.service' },
    unit: 'worker.service',
    ...(isNet ? { proto: 'tcp' } : {}),
    ...(kind === 'connect.ok' ? { src: { ip: '10.0.0.9', port: 40_000 + (number % 20_000) } } : {}),
    ...(isNet ? { dst: { ip: `10.0.1.${Math.floor(next() * 250)}`, port: 443 } } : {}),
    ...(kind === 'connect.ok' ? { result: 0 } : {}),
    verdict: 'none',
    ...(kind === 'fork' ? { child: 5000 + (number % 9999) } : {}),
    lost: 0,
    ...(kind === 'fork' ? { child_start: String(ns) } : {}),
    lineage: { pid: 900, start: '49000000000', comm: 'worker' },
  };
};

const captureOf = (events: number): string => {
  const next = random();
  const header = { kerngate_capture: 1, host: 'bench', boot_id: 'bench', kernel: 'none' };
  const lines: object[] = [{ ...header, started: '2026-01-01T00:00:00.000Z' }];
  let ns = 100e9;
  for (let number = 0; number < events; number++) {
    ns += Math.floor(next() * 20e6);
    lines.push(eventOf(number, ns, next));
  }
  lines.push({ kerngate_end: true, events, lost: 0 });
  return `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`;
};

const placed = (): Policy[] => {
  const { policies } = loadPolicies([POLICIES], { checkOwner: 'none' });
  return placePolicies(policies, { sessionId: true, exe: () => true });
};

interface Side {
  readonly name: string;
  readonly take: () => Promise<number> | number;
  readonly samples: number[];
}

const measure = async (file: string, events: number, rounds: number): Promise<BenchResult> => {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const policies = placed();
  const parse = () => lines.reduce((sum, line) => sum + (JSON.parse(line).pid === undefined ? 0 : 1), 0);
  const replay = async () => {
    const told = await replayCapture({ file, isPartial: false, mode: 'enforce', policies }, () => {});
    return told.events;
  };
  const sides: Side[] = [
    { name: 'JSON.parse', take: parse, samples: [] },
    { name: 'replay', take: replay, samples: [] },
  ];
  const counts = new Set<number>();
  for (let round = -WARM_UP; round < rounds; round++) {
    await inTurn(sides.length, round + WARM_UP, async (index) => {
      const side = sides[index] as Side;
      const begun = process.cpuUsage();
      counts.add(await side.take());
      const { user, system } = process.cpuUsage(begun);
      const seconds = (user + system) / 1e6;
      if (round >= 0) side.samples.push(events / seconds);
    });
  }
  return {
    series: sides.map(({ name, samples }) => ({ name, unit: 'events a CPU second', samples })),
    ratios: [{ of: 'replay', to: 'JSON.parse', least: 0.6 }],
    counts: [
      { name: 'different counts of events', value: counts.size, exactly: 1 },
      { name: 'events', value: [...counts][0] ?? 0, exactly: events },
    ],
    notes: [
      `${events} events, ${Math.round(lines.join('\n').length / events)} bytes each; the policy: connect-burst`,
    ],
  };
};

export const run = async ({ rounds = ROUNDS, tiny }: BenchOptions): Promise<BenchResult> => {
  const events = tiny ? TINY : EVENTS;
  const folder = mkdtempSync(join(tmpdir(), 'kerngate-replay-'));
  try {
    const file = join(folder, 'capture.jsonl');
    writeFileSync(file, captureOf(events));
    return await measure(file, events, rounds);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

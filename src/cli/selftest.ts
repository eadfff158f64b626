/** `kerngate selftest`: every way to the network as a real attempt, with and without a block. */
import type { Column } from '../lib/table.js';
import type { DenyScope, Level } from '../model/decision.js';
import { EXIT } from '../model/error.js';
import type { Command } from './command.js';
import type { Output } from './output.js';

interface SelftestOptions {
  readonly level: Level | 'auto';
  readonly deny: DenyScope;
  readonly sever: boolean;
}

interface Row {
  readonly way: string;
  readonly family: string;
  readonly result: 'denied' | 'escaped' | 'not on this kernel';
  readonly errno?: string;
  readonly reason?: string;
  readonly promised: boolean;
}

interface Report {
  readonly level: Level;
  readonly kernel: string;
  readonly deny: DenyScope;
  readonly sever: boolean;
  readonly ways: readonly Row[];
  readonly counts: Readonly<
    Record<'tried' | 'denied' | 'open_by_design' | 'broken' | 'not_on_this_kernel', number>
  >;
  readonly hurt: readonly string[];
  readonly degraded: readonly string[];
  readonly seconds: number;
}

const isBroken = ({ result, promised }: Row): boolean => result === 'escaped' && promised;

const COLUMNS: readonly Column<Row>[] = [
  { head: 'WAY', cell: ({ way }) => way },
  { head: 'FAMILY', cell: ({ family }) => family },
  {
    head: 'RESULT',
    cell: ({ result }) => result,
    style: (row) => (isBroken(row) ? 'red' : row.result === 'denied' ? 'green' : 'yellow'),
  },
  { head: 'ERRNO', cell: ({ errno }) => errno ?? '' },
  {
    head: 'NOTE',
    cell: (row) => (isBroken(row) ? 'the level promises this way to be shut' : (row.reason ?? '')),
  },
];

const sentence = ({ level, kernel, deny, sever, counts, seconds }: Report): string =>
  [
    `${counts.denied} of ${counts.tried} ways denied at level ${level}`,
    `(--deny ${deny}${sever ? ' --sever' : ''}, Linux ${kernel}),`,
    `${counts.open_by_design} open by design, ${counts.broken} open against the promise,`,
    `${counts.not_on_this_kernel} not on this kernel; ${seconds.toFixed(1)} s`,
  ].join(' ');

const show = (out: Output, report: Report): void => {
  if (out.format === 'json') {
    out.record(report, []);
    return;
  }
  out.list(report.ways, COLUMNS, 'no way was tried');
  out.note(sentence(report));
  for (const why of report.degraded) out.note(`the blocks do not fully hold: ${why}`);
  for (const what of report.hurt) out.note(`an innocent process was refused: ${what}`);
};

export const selftestCommand: Command<SelftestOptions> = {
  name: 'selftest',
  summary: 'Try every way to the network from a blocked process; needs root, no running agent.',
  example: 'kerngate selftest\nkerngate selftest --level cgroup --deny new --no-sever est-send tun-write',
  arguments: [{ name: '[way...]', help: 'ways to try; all when none is named' }],
  options: [
    {
      flags: '--level <level>',
      help: 'how to enforce; auto takes the strongest that holds',
      choices: ['auto', 'lsm', 'fmod_ret', 'cgroup'],
      default: 'auto',
    },
    {
      flags: '--deny <scope>',
      help: 'scope of the blocks',
      choices: ['new', 'all', 'isolate'],
      default: 'isolate',
    },
    { flags: '--no-sever', help: 'leave open sockets of the blocked open' },
  ],
  run: async ({ args, options, out }) => {
    const { selftest } = await import('../selftest/run.js');
    const report: Report = await selftest({ ...options, ways: args });
    show(out, report);
    const { counts, hurt, degraded } = report;
    return counts.broken + hurt.length + degraded.length > 0 ? EXIT.degraded : EXIT.ok;
  },
};

/**
 * The claims of the kernel matrix, each with the tests that show it: a file of test/, how its tests are named, and
 * which of these are its core, for a run that must be done in an hour.
 */

/** `not` says where a claim has no meaning, and why; `kernel` or `level` left out means all of them. */
export const CLAIMS = [
  {
    claim: 'limit 5: five of 10,000 connects pass, until unblock',
    tests: [
      ['kernel/main-job.test.ts', /./],
      ['kernel/in-short.test.ts', /five of ten thousand/, /five of ten thousand/],
    ],
  },
  {
    claim: 'the same by 8 threads at once, ten times, and for limits 0 to 16',
    tests: [
      ['kernel/burst-limits.test.ts', /^a limit /, /8 x 1,250/],
      ['kernel/in-short.test.ts', /five of eight threads/, /five of eight threads/],
    ],
  },
  {
    claim: 'every protocol and family: TCP, UDP, send, IPv6, v4-mapped',
    tests: [
      ['kernel/burst-limits.test.ts', /^(one window counts|a block) /],
      ['kernel/in-short.test.ts', /five connects of UDP/, /five connects of UDP/],
    ],
  },
  {
    claim: 'short-lived children: five in all by lineage and by cgroup',
    tests: [
      ['kernel/burst-keys.test.ts', /^short-lived children /, /in all by cgroup/],
      ['kernel/in-short.test.ts', /five of a hundred children/, /five of a hundred children/],
    ],
  },
  {
    claim: 'windows by user, executable, destination, session; wider blocks',
    tests: [['kernel/burst-keys.test.ts', /^(a window|a block wider than the key) /]],
  },
  {
    claim: 'random rule sets get the verdicts of the contract',
    tests: [['kernel/oracle.test.ts', /./]],
  },
  {
    claim: 'audit: all pass, and what would have been denied is counted',
    tests: [
      ['kernel/audit.test.ts', /./],
      ['kernel/main-job.test.ts', /counts ten thousand/],
      ['kernel/in-short.test.ts', /all pass in audit/, /all pass in audit/],
    ],
  },
  {
    claim: '`kill -9`: a block holds until its end, then ends by itself',
    tests: [
      ['kernel/agent-killed.test.ts', /./, /holds a block of a policy/],
      ['kernel/in-short.test.ts', /blocks hold, and new ones are made/, /blocks hold, and new ones are made/],
    ],
  },
  {
    claim: 'a child forked while no agent lives stays in its lineage',
    tests: [
      ['kernel/lineage-unwatched.test.ts', /./, /forked while the agent is dead/],
    ],
  },
  {
    claim: 'a restarted agent adopts blocks, windows and links without a gap',
    tests: [
      ['kernel/restart.test.ts', /./, /lets no call through kill -9/],
      ['kernel/in-short.test.ts', /the next agent takes over/, /the next agent takes over/],
    ],
  },
  {
    claim: '`unblock` without an agent opens at once, and stays so',
    tests: [
      ['kernel/unblock-offline.test.ts', /./, /is lifted by its id/],
      ['kernel/in-short.test.ts', /unblock opens at once/, /unblock opens at once/],
    ],
  },
  {
    claim: '`panic` opens at once, with the agent up, down or hung',
    tests: [
      ['kernel/panic.test.ts', /./, /opens at once with the agent down/],
      ['kernel/in-short.test.ts', /panic opens for all/, /panic opens for all/],
    ],
  },
  {
    claim: 'unconfirmed enforcement reverts; modes switch at once',
    tests: [['kernel/modes.test.ts', /./]],
  },
  {
    claim: 'bad input: message, exit code, and the last good state stays',
    tests: [
      ['kernel/bad-start.test.ts', /./, /a policy broken|a policy with an unknown|of another ABI|without BTF|without cgroup v2/],
      ['kernel/bad-while-running.test.ts', /./, /takes garbage|with a broken set keeps/],
    ],
  },
  {
    claim: 'a flood: drops counted exactly, no verdict lost, memory bounded',
    tests: [
      ['kernel/flood.test.ts', /./, /is counted exactly/],
    ],
  },
  {
    claim: 'a window map filled by a fork flood opens nothing',
    tests: [
      ['kernel/window-flood.test.ts', /./, /attacker beside it/],
    ],
  },
  {
    claim: 'a blocked tree: children of the past and the future',
    tests: [['kernel/tree-block.test.ts', /./]],
  },
  {
    claim: 'never blocked: the agent, PID 1, the operator, the allow list',
    tests: [['kernel/guardrails.test.ts', /./]],
  },
  {
    claim: 'no collateral: servers, neighbours, names, logs, ssh and ordinary programs go on beside a block',
    tests: [['kernel/collateral.test.ts', /./]],
  },
  {
    claim: 'events tell what a process did',
    tests: [
      ['kernel/events-connect.test.ts', /./],
      ['kernel/events-life.test.ts', /./],
      ['kernel/events-unit.test.ts', /./],
      ['kernel/sessions.test.ts', /./],
    ],
  },
  {
    claim: 'other sources of connect events tell the same',
    tests: [['kernel/sources.test.ts', /./]],
  },
  {
    claim: 'levels: the strongest that holds is taken, a forced one is proven or refused, restarts keep it',
    tests: [
      ['kernel/levels.test.ts', /./],
      ['kernel/in-short.test.ts', /the level is one that was proven/, /the level is one that was proven/],
    ],
  },
  {
    claim: 'the guard of a level: every family, exact hits, audit, allow, panic, scope, io_uring',
    tests: [['kernel/guard.test.ts', /./]],
  },
  {
    claim: 'no way around: each of 91 ways as a real attempt, at each scope of a deny',
    tests: [
      ['kernel/ways.test.ts', /./, /under --deny isolate, severed/],
      ['kernel/selftest.test.ts', /./],
    ],
  },
  {
    claim: 'io_uring, 32-bit entry, Fast Open, MPTCP and unconnected datagrams are events of the right process',
    tests: [['kernel/events-ways.test.ts', /./]],
  },
  {
    claim: 'the addon: programs, maps, rings, endings',
    tests: [['native/kernel/', /./]],
  },
];

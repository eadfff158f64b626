/**
 * The claims of the kernel matrix, each with the tests that show it: a file of test/, how its tests are named, and
 * which of these are its core, for a run that must be done in an hour.
 */

/** `not` says where a claim has no meaning, and why; `kernel` or `level` left out means all of them. */
export const CLAIMS = [
  {
    claim: 'limit 5: five of 10,000 connects pass, until unblock',
    tests: [['kernel/main-job.test.ts', /./, /five of ten thousand|counts ten thousand/]],
  },
  {
    claim: 'the same by 8 threads at once, ten times, and for limits 0 to 16',
    tests: [['kernel/burst-limits.test.ts', /^a limit /, /8 x 1,250/]],
  },
  {
    claim: 'every protocol and family: TCP, UDP, send, IPv6, v4-mapped',
    tests: [['kernel/burst-limits.test.ts', /^(one window counts|a block) /, /^one window counts connects of every/]],
  },
  {
    claim: 'short-lived children: five in all by lineage and by cgroup',
    tests: [['kernel/burst-keys.test.ts', /^short-lived children /, /^short-lived children pass five times in all by /]],
  },
  {
    claim: 'windows by user, executable, destination, session; wider blocks',
    tests: [['kernel/burst-keys.test.ts', /^(a window|a block wider than the key) /, /all of one executable/]],
  },
  {
    claim: 'random rule sets get the verdicts of the contract',
    tests: [['kernel/oracle.test.ts', /./]],
  },
  {
    claim: 'audit: all pass, and what would have been denied is counted',
    tests: [
      ['kernel/audit.test.ts', /./],
      ['kernel/main-job.test.ts', /counts ten thousand/, /counts ten thousand/],
    ],
  },
  {
    claim: '`kill -9`: a block holds until its end, then ends by itself',
    tests: [['kernel/agent-killed.test.ts', /./, /^(holds a block of a policy|makes no new deny)/]],
  },
  {
    claim: 'a child forked while no agent lives stays in its lineage',
    tests: [['kernel/lineage-unwatched.test.ts', /./, /^forked while the agent is dead/]],
  },
  {
    claim: 'a restarted agent adopts blocks, windows and links without a gap',
    tests: [['kernel/restart.test.ts', /./, /^(adopts a block|keeps windows|lets no call through kill -9)/]],
  },
  {
    claim: '`unblock` without an agent opens at once, and stays so',
    tests: [['kernel/unblock-offline.test.ts', /./, /is lifted by its id/]],
  },
  {
    claim: '`panic` opens at once, with the agent up, down or hung',
    tests: [['kernel/panic.test.ts', /./, /with the agent down/]],
  },
  {
    claim: 'unconfirmed enforcement reverts; modes switch at once',
    tests: [['kernel/modes.test.ts', /./, /with the agent dead/]],
  },
  {
    claim: 'bad input: message, exit code, and the last good state stays',
    tests: [
      ['kernel/bad-start.test.ts', /./, /a policy broken|an unknown key|of another ABI|refused by the verifier|without /],
      ['kernel/bad-while-running.test.ts', /./, /garbage|broken set/],
    ],
  },
  {
    claim: 'a flood: drops counted exactly, no verdict lost, memory bounded',
    tests: [['kernel/flood.test.ts', /./, /is counted exactly/]],
  },
  {
    claim: 'a window map filled by a fork flood opens nothing',
    tests: [['kernel/window-flood.test.ts', /./, /attacker beside it/]],
  },
  {
    claim: 'a blocked tree: children of the past and the future',
    tests: [['kernel/tree-block.test.ts', /./, /reaches the children/]],
  },
  {
    claim: 'never blocked: the agent, PID 1, the operator, the allow list',
    tests: [['kernel/guardrails.test.ts', /./]],
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
    tests: [['kernel/sources.test.ts', /./, /tells the same|has the gaps/]],
  },
  {
    claim: 'levels: the strongest that holds is taken, a forced one is proven or refused, restarts keep it',
    tests: [['kernel/levels.test.ts', /./, /^auto takes the strongest/]],
  },
  {
    claim: 'the guard of a level: every family, exact hits, audit, allow, panic, scope, io_uring',
    tests: [['kernel/guard.test.ts', /./, /each refusal is one hit/]],
  },
  {
    claim: 'the addon: programs, maps, rings, endings',
    tests: [['native/kernel/', /./]],
  },
];

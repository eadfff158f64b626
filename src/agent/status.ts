/** The agent's state in one document: what holds, what is open, what was lost, what is wrong. */
import type { Status } from '../control/api.js';
import type { Tripped } from '../decide/record.js';
import { remembered } from '../enforce/frozen.js';
import { type Foreign, foreignPrograms } from '../kernel/foreign.js';
import { openAt, openBeside, openText } from '../kernel/levels.js';
import { PROGRAMS } from '../kernel/links.js';
import { formatDuration } from '../lib/duration.js';
import { packageVersion } from '../lib/version.js';
import { whenFailures } from '../policy/index.js';
import { countsLine } from '../report/lines.js';
import type { Agent } from './agent.js';
import { severTrouble } from './severer.js';
import { type Named, unseenFiles } from './unseen.js';

export const statusOf = (agent: Agent): Status => {
  const { modes, scope, level, policies, state, reporter, clock } = agent;
  return {
    version: packageVersion(),
    pid: process.pid,
    started: agent.started,
    mode: modes.mode,
    level,
    scope: scope.path,
    panic: modes.isPanic,
    ...(modes.confirmNs === 0 ? {} : { confirm_until: clock.wall(modes.confirmNs) }),
    hooks: agent.hooks.map(({ program }) => ({ program, attached: attachedTo(program, scope.path) })),
    ...openOf(agent),
    ways: agent.maps.ways.all(),
    policies: policies.all.length,
    blocks: state.ledger.list().length,
    rate: reporter.rate.perSecond(clock.bootNs()),
    counters: countersOf(agent),
    ...unknownBy(agent),
    notes: [
      ...unseenFiles(namedBy(agent)).map(({ detail, remedy }) => `${detail}. ${remedy}`),
      ...agent.severer.holding.notes(),
    ],
    degraded: degradedBy(agent),
    breaker: breakerOf(agent),
    foreign: foreignOf(agent),
  };
};

const namedBy = ({ config, policies, state }: Agent): Named => ({
  launchers: config.launchers,
  policies: policies.all,
  allow: state.allow.list(),
});

const openOf = ({ level, scope, hooks }: Agent): Pick<Status, 'open' | 'open_why'> => {
  const ways = openAt(
    level,
    hooks.map(({ program }) => program),
  );
  const open_why = [...openText(ways), ...openBeside(level, scope.level === 0)];
  return { open: ways.map(({ way }) => way), open_why };
};

const attachedTo = (program: string, scope: string): string => {
  const row = PROGRAMS.find(({ name }) => name === program);
  return row?.attach === 'cgroup' ? scope : (row?.attach ?? '');
};

/** Everything that is counted anywhere, by name. */
export const countersOf = (agent: Agent): Record<string, number> => {
  const { state, reporter, reader, enricher, maps, pipeline, native, ring } = agent;
  const journal = state.journal.stats();
  const ledger = state.ledger.stats();
  const engine = pipeline.engine.stats();
  const drained = native.ringStats(ring);
  return {
    ...maps.counters.all(),
    events_seen: drained.records,
    events_short: drained.short,
    ...reader.counters,
    ...enricher.counters(),
    findings: reporter.findings.total,
    findings_evicted: reporter.findings.evicted,
    followers_dropped: reporter.followers.dropped,
    detect_keys: engine.keys,
    detect_evictions: engine.evictions,
    detect_unkeyed: engine.unkeyed,
    detect_unknown_rules: engine.unknownRules,
    when_failures: whenFailures(),
    decisions_overflow: ledger.overflow,
    decisions_refused: ledger.refused,
    protected_overflow: state.guardrails.overflow,
    journal_errors: journal.errors,
    journal_waiting: journal.waiting,
    journal_lost: journal.lost,
    journal_torn: journal.torn,
    journal_damaged: journal.damaged,
    audit_log_failed: reporter.audit.failed,
    enforce_failures: reporter.failures,
    frozen: remembered(agent.paths.state).length,
    severed: agent.severer.counts.closed,
    sever_kept: agent.severer.counts.kept,
    sever_failed: agent.severer.counts.failed,
    ...agent.severer.holding.counts,
    windows_swept: agent.swept,
    ...(agent.ladder.missed === undefined ? {} : { guard_missed: agent.ladder.missed }),
    lines_dropped: agent.voice.dropped,
    breaker_trips: agent.modeSwitch.trips,
    drift_repaired: agent.drift.repaired,
    tree_forgotten: agent.host.tree.forgotten,
    ...agent.controlCounters(),
  };
};

/** Counters that cannot be read now, with the reason: showing 0 for them would be a claim. */
const unknownBy = ({ ladder }: Agent): Pick<Status, 'unknown'> =>
  ladder.missed === undefined ? { unknown: { guard_missed: NO_PROGRAM } } : {};

const NO_PROGRAM =
  "the guard is an earlier agent's, its program is not pinned beside it, and CAP_SYS_ADMIN is missing";

/** What the agent says of itself each minute. */
export const minuteLine = ({ maps, reporter, clock, state, lost }: Agent): string =>
  countsLine({
    events: reporter.rate.total,
    perSecond: reporter.rate.perSecond(clock.bootNs()),
    findings: reporter.findings.total,
    denied: maps.counters.get('DENIED'),
    wouldDeny: maps.counters.get('AUDITED'),
    blocks: state.ledger.list().length,
    lost,
  });

/** Programs of others on the cgroups in scope and above it. */
const foreignOf = ({ native, scope, hooks }: Agent): Foreign[] =>
  foreignPrograms(native, scope, new Set(hooks.map(({ link }) => native.linkInfo(link).programId)));

/** As the configuration says it, and what it does now. */
const breakerOf = ({ state: { ledger } }: Agent): NonNullable<Status['breaker']> => {
  const { blocks, withinNs, units } = ledger.breaker;
  const isOff = blocks === undefined && units === undefined;
  return {
    state: ledger.tripped ? 'tripped' : isOff ? 'off' : 'armed',
    blocks: blocks ?? 'off',
    within: formatDuration(withinNs),
    units: units === undefined ? 'off' : `${Math.round(units * 100)}%`,
  };
};

export const trippedLine = ({ at, reason }: Tripped): string =>
  `the circuit breaker tripped at ${at}: ${reason}; nothing is denied until kerngate mode enforce`;

/** Why the asked-for enforcement does not fully hold. */
const degradedBy = (agent: Agent): string[] => {
  const { modes, state, reporter, policies } = agent;
  const reasons: string[] = [...agent.troubles.values()];
  if (modes.isPanic) reasons.push('panic: nothing is denied until kerngate mode enforce');
  const { tripped } = state.ledger;
  if (tripped) reasons.push(trippedLine(tripped));
  if (state.journal.stats().waiting > 0)
    reasons.push('the journal cannot be written: decisions would not survive a restart');
  if (reporter.audit.lastError !== undefined) {
    reasons.push(`the audit log cannot be written: ${reporter.audit.lastError}`);
  }
  for (const [subject, error] of reporter.failing) reasons.push(`${subject} is not enforced: ${error}`);
  reasons.push(...openSockets(agent));
  for (const policy of policies.all) {
    if (policy.placement === 'nftables') reasons.push(`policy ${policy.name}: ${policy.why}`);
  }
  return reasons;
};

/** Of the decisions that deny: what is open already and does not meet them. */
const openSockets = ({ state, severer }: Agent): string[] =>
  state.ledger.entries().flatMap(({ id, subject, mode, severed }) => {
    if (mode !== 'enforce') return [];
    const troubles = [severed && severTrouble(severed), severer.holding.trouble(id)];
    return troubles.flatMap((trouble) => (trouble ? [`${subject.kind} ${subject.name}: ${trouble}`] : []));
  });

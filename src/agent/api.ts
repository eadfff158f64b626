/** What the control socket offers, carried out. Every change takes effect before its answer leaves. */
import type {
  AllowRequest,
  BlockRequest,
  BlockResult,
  ControlApi,
  EventFilter,
  EventSink,
  Peer,
  PolicyRow,
  SessionRow,
  Status,
  Target,
  UnblockFilter,
} from '../control/api.js';
import { noteLifted } from '../kernel/entries.js';
import { fileIdOf } from '../kernel/executable.js';
import { type AllowEntry, type Decision, type Mode, weaker } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import type { Event } from '../model/event.js';
import type { Finding } from '../model/finding.js';
import type { Subject } from '../model/subject.js';
import { describeDetect, describeThen } from '../policy/index.js';
import { matcher } from '../report/filter.js';
import { modeLine } from '../report/lines.js';
import type { Agent } from './agent.js';
import { carryOutBlock, shownAs } from './block.js';
import { followEvents } from './follow.js';
import { protectAncestors } from './protected.js';
import { sessionRows } from './sessions.js';
import { statusOf } from './status.js';
import { liftFilterOf, subjectOfTarget } from './targets.js';

const RECENT_MAX = 1000;
type AllowTarget = Target & { exe?: string; uid?: number };

export class AgentApi implements ControlApi {
  readonly #agent: Agent;

  constructor(agent: Agent) {
    this.#agent = agent;
  }

  status(): Status {
    return statusOf(this.#agent);
  }

  decisions(): Decision[] {
    this.#agent.adopt('its window is gone');
    return this.#agent.state.ledger.list();
  }

  async block(request: BlockRequest, peer: Peer): Promise<BlockResult> {
    refuseUnavailable(request);
    return carryOutBlock(this.#agent, request, peer);
  }

  async unblock(filter: UnblockFilter, peer: Peer): Promise<Decision[]> {
    const { state, sync, pipeline, host, reporter } = this.#agent;
    this.#agent.adopt('its window is gone');
    const { ledger } = state;
    const shown = new Map(ledger.list().map((decision) => [decision.id, decision]));
    const lifted = ledger.unblock(
      liftFilterOf(filter, ledger.entries(), this.#agent.scope),
      (subject, group) => host.isMember(subject, group),
    );
    sync.clear(new Set(lifted.map(({ id }) => id)));
    pipeline.settle('removed');
    noteLifted(this.#agent.maps, this.#agent.clock.bootNs());
    for (const entry of lifted) {
      pipeline.engine.forget(entry.rule, entry.subject);
      reporter.audit.lifted(entry, 'unblock', peer);
    }
    return lifted.map((entry) => shown.get(entry.id) ?? shownAs(this.#agent, entry));
  }

  findings(): Finding[] {
    return this.#agent.reporter.findings.list();
  }

  sessions(): SessionRow[] {
    return sessionRows(this.#agent.maps, this.#agent.enricher, this.#agent.clock);
  }

  events(filter: EventFilter): Event[] {
    const events = this.#agent.reporter.history.recent({ where: this.#matcher(filter) }, RECENT_MAX);
    /* crossings have a ring of their own and are kept in the order they came */
    return events.sort((a, b) => Number(BigInt(a.boot_ns) - BigInt(b.boot_ns)));
  }

  follow(filter: EventFilter, sink: EventSink): () => void {
    return followEvents(this.#agent, this.#matcher(filter), filter, sink);
  }

  allowList(): AllowEntry[] {
    return this.#agent.state.guardrails.list();
  }

  async allowAdd(request: AllowRequest, peer: Peer): Promise<AllowEntry> {
    const { state, pipeline, reporter } = this.#agent;
    const subject = this.#allowSubject(request);
    const entry = state.allow.add({
      subject,
      reason: request.reason,
      ...(request.forNs === undefined ? {} : { forNs: request.forNs }),
    });
    const failed = pipeline.enforce().find((outcome) => outcome.did === 'failed');
    reporter.audit.note('allow', { entry }, peer);
    if (failed) throw new KerngateError(failed.error ?? 'the kernel took no entry', { exit: 'degraded' });
    return entry;
  }

  async allowRemove(target: AllowTarget, peer: Peer): Promise<AllowEntry[]> {
    const { state, pipeline, reporter } = this.#agent;
    const removed = state.allow.remove(this.#allowSubject(target, false));
    pipeline.enforce();
    for (const entry of removed) reporter.audit.note('disallow', { entry }, peer);
    return removed;
  }

  allowCheck(target: AllowTarget): AllowEntry | undefined {
    return this.#agent.state.guardrails.check(this.#allowSubject(target, false))?.entry;
  }

  mode(): Mode {
    return this.#agent.modes.mode;
  }

  async setMode(mode: Mode, confirmWithinNs: number | undefined, peer: Peer): Promise<Mode> {
    const { modes, reporter } = this.#agent;
    const from = modes.mode;
    await this.#agent.modeSwitch.to(mode, confirmWithinNs);
    reporter.audit.mode(from, modes.mode, `asked for by uid ${peer.uid}`, peer);
    this.#agent.say(modeLine(modes.mode, `asked for by uid ${peer.uid}, pid ${peer.pid}`));
    return modes.mode;
  }

  async confirm(peer: Peer): Promise<void> {
    const { modes, reporter } = this.#agent;
    const isLate = this.#agent.modeSwitch.revertWhenUnconfirmed();
    if (modes.mode !== 'enforce') {
      const why = isLate ? 'the time to confirm is over' : 'there is nothing to confirm';
      throw new KerngateError(`${why}: the mode is audit`, {
        remedy: 'Switch with: kerngate mode enforce',
      });
    }
    modes.confirm();
    reporter.audit.note('confirm', {}, peer);
  }

  async panic(peer: Peer): Promise<{ lifted: number }> {
    return { lifted: this.#agent.modeSwitch.panic(peer) };
  }

  policies(): PolicyRow[] {
    const { policies, modes, reporter, state } = this.#agent;
    const hits = new Map<string, number>();
    for (const { policy, hits: count } of state.ledger.list())
      hits.set(policy, (hits.get(policy) ?? 0) + count);
    return policies.all.map((policy) => ({
      name: policy.name,
      summary: policy.summary,
      severity: policy.severity,
      mode: weaker(policy.mode ?? modes.mode, modes.mode),
      on: policy.on,
      detect: describeDetect(policy),
      then: describeThen(policy),
      enforced_by: policy.placement,
      why: policy.why,
      file: policy.file,
      findings: reporter.findings.countOf(policy.name),
      hits: hits.get(policy.name) ?? 0,
    }));
  }

  async reload(): Promise<PolicyRow[]> {
    this.#agent.reload();
    return this.policies();
  }

  greet(peer: Peer): void {
    const { state, pipeline } = this.#agent;
    const before = state.guardrails.list().length;
    protectAncestors(state.guardrails, peer.pid, 'an ancestor of a client of the control socket');
    if (state.guardrails.list().length !== before) pipeline.enforce();
  }

  #matcher(filter: EventFilter) {
    return matcher(filter, (rule) => this.#agent.policies.byRule(rule)?.name);
  }

  #allowSubject(target: AllowTarget, mustWork = true): Subject {
    if (target.exe !== undefined) {
      if (mustWork && fileIdOf(target.exe) === undefined) {
        throw new KerngateError(
          `${target.exe}: no such file, or on a file system whose files the kernel cannot compare`,
          {
            exit: 'notFound',
            remedy: 'Allow the unit, the cgroup or the user instead.',
          },
        );
      }
      return { kind: 'exe', id: target.exe, name: target.exe };
    }
    if (target.uid !== undefined) return { kind: 'user', id: String(target.uid), name: `uid ${target.uid}` };
    return subjectOfTarget(target, this.#agent.scope);
  }
}

const refuseUnavailable = (request: BlockRequest): void => {
  if (request.ip === undefined) return;
  throw new KerngateError('--ip is not available in this version', {
    remedy: 'Block the process, its lineage, its cgroup or its unit.',
  });
};

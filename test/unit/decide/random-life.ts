/** One random life of a ledger beside the naive one, with a kernel that holds the windows. */
import { expect } from 'vitest';
import type { KernelEntry } from '../../../src/decide/adopt.js';
import { writeLine } from '../../../src/decide/journal-lines.js';
import { snapshot } from '../../../src/decide/snapshot.js';
import type { Mode } from '../../../src/model/decision.js';
import { type Subject, subjectKey } from '../../../src/model/subject.js';
import { checkAgreement } from './agreement.js';
import { asWindow, inGroup, Model, type Plain, POLICIES, SUBJECTS } from './naive.js';
import { blockInput, HOUR, MINUTE, type World, world } from './world.js';

export type Command =
  | { do: 'decide'; policy: number; who: number; mode: Mode; inKernel: boolean }
  | { do: 'block'; who: number; minutes: number; mode: Mode }
  | { do: 'unblock'; by: 'who' | 'id' | 'policy' | 'all'; n: number; offline: boolean }
  | { do: 'mode'; mode: Mode }
  | { do: 'allow' | 'disallow' | 'gone'; who: number }
  | { do: 'panic' | 'expire' | 'restart' | 'rewrite' }
  | { do: 'wait'; minutes: number };

/** The ledger under test, its model, and the windows a kernel would hold. */
export class Run {
  real: World = world();
  model = new Model();
  windows = new Map<string, KernelEntry>();
  made = 0;

  get now(): number {
    return this.real.clock.ns;
  }

  step(command: Command): void {
    this.real.clock.ns += 1;
    const actions = {
      decide: (c: Command) => c.do === 'decide' && this.decide(c),
      block: (c: Command) => c.do === 'block' && this.block(c),
      unblock: (c: Command) => c.do === 'unblock' && this.unblock(c),
      mode: (c: Command) => c.do === 'mode' && this.mode(c.mode),
      allow: (c: Command) => c.do === 'allow' && this.allow(c.who, true),
      disallow: (c: Command) => c.do === 'disallow' && this.allow(c.who, false),
      gone: (c: Command) => c.do === 'gone' && this.gone(c.who),
      panic: () => this.panic(),
      expire: () => this.expire(),
      restart: () => this.restart(),
      rewrite: () => this.real.journal.rewrite(() => snapshot(this.real.book.state, this.stamp())),
      wait: (c: Command) => c.do === 'wait' && this.wait(c.minutes),
    };
    actions[command.do](command);
    checkAgreement(this.real, this.model);
  }

  decide({ policy: n, who, mode, inKernel }: Extract<Command, { do: 'decide' }>): void {
    const rule = POLICIES[n % 2] ?? POLICIES[0];
    const target = SUBJECTS[who % 4] ?? SUBJECTS[0];
    const key = subjectKey(target);
    const standing = this.model
      .live(this.now)
      .some((block) => block.policy === rule.name && block.key === key);
    // A kernel whose subject is blocked or allowed already sees no crossing of this rule.
    const crosses = inKernel && !standing && !this.model.allowed.has(key);
    const kernelDecision = (++this.made).toString(16).padStart(16, 'a');
    const ruling = this.real.decide({
      policy: rule,
      subject: target,
      mode,
      ...(crosses && { inKernel, kernelDecision }),
    });
    this.model.end(
      (block) =>
        block.policy === rule.name &&
        block.key === key &&
        block.until <= this.now &&
        !this.model.allowed.has(key),
      (block) => block.until,
    );
    expect(ruling.created).toBe(!standing && !this.model.allowed.has(key));
    if (!ruling.created) return;
    const strike = this.model.strike(rule.name, key, this.now);
    const block = {
      key,
      policy: rule.name,
      by: 'policy',
      mode: this.model.panicked ? ('audit' as const) : mode,
      since: this.now,
      strike,
    };
    const longNs = rule.then.escalate ? Math.min(HOUR, rule.then.forNs * 2 ** strike) : rule.then.forNs;
    const id = ruling.decision?.id ?? '';
    if (!crosses) {
      this.model.blocks.push({ ...block, id, until: this.now + longNs, pushed: false });
      return;
    }
    this.model.blocks.push({ ...block, id, until: this.now + rule.then.forNs, pushed: true });
    if (longNs > rule.then.forNs)
      this.model.blocks.push({
        ...block,
        id: ruling.widened?.id ?? '',
        until: this.now + longNs,
        pushed: false,
      });
    if (ruling.decision) this.windows.set(id, asWindow(ruling.decision));
  }

  block({ who, minutes, mode }: Extract<Command, { do: 'block' }>): void {
    const target = SUBJECTS[who % 4] ?? SUBJECTS[0];
    const key = subjectKey(target);
    const order = () => this.real.ledger.block({ ...blockInput(target, minutes * MINUTE), mode });
    if (this.model.allowed.has(key)) return void expect(order).toThrow(/protected/);
    const { decision, created } = order();
    const wanted = this.model.panicked ? 'audit' : mode;
    const until = this.now + minutes * MINUTE;
    const standing = this.model.live(this.now).find((block) => block.by === 'operator' && block.key === key);
    expect(created).toBe(standing === undefined);
    if (standing) {
      if (standing.mode === 'audit' && wanted === 'enforce') {
        standing.mode = 'enforce';
        standing.since = this.now;
      }
      standing.until = Math.max(standing.until, until);
      return;
    }
    const fresh = { id: decision.id, key, policy: 'operator', by: 'operator', since: this.now, until };
    this.model.blocks.push({ ...fresh, mode: wanted, pushed: false, strike: 0 });
  }

  unblock({ by, n, offline }: Extract<Command, { do: 'unblock' }>): void {
    const target = SUBJECTS[n % 4] ?? SUBJECTS[0];
    const rule = POLICIES[n % 2] ?? POLICIES[0];
    const chosen = this.model.blocks[n % Math.max(1, this.model.blocks.length)];
    if (by === 'id' && chosen === undefined) return;
    const isIn = (key: string, group: string): boolean =>
      key === group || (group.startsWith('cgroup:') && key.startsWith('process:') && !offline);
    const hits: Record<typeof by, (block: Plain) => boolean> = {
      who: ({ key }) => isIn(key, subjectKey(target)),
      id: (block) =>
        block.id === chosen?.id ||
        (!offline && block.key === chosen?.key && block.policy === chosen.policy && block.by === chosen.by) ||
        (!offline && block.key !== chosen?.key && isIn(block.key, chosen?.key ?? '')),
      policy: (block) => block.policy === rule.name,
      all: () => true,
    };
    const resets: Record<typeof by, (row: { policy: string; key: string }) => boolean> = {
      who: ({ key }) => key === subjectKey(target),
      id: () => false,
      policy: (row) => row.policy === rule.name,
      all: () => true,
    };
    const expected = this.model.blocks.filter(hits[by]).map(({ id }) => id);
    this.model.lift(hits[by], resets[by]);
    if (offline) {
      this.unblockOffline(by, target, rule.name, chosen?.id);
      return;
    }
    const filters = {
      who: { subjects: [target] },
      id: { id: chosen?.id ?? '' },
      policy: { policy: rule.name },
      all: { all: true },
    };
    const lifted = this.real.ledger.unblock(filters[by], inGroup);
    expect(lifted.map(({ id }) => id).sort()).toEqual(expected.sort());
    for (const { id } of lifted) this.windows.delete(id);
  }

  /** The kernel's windows are left as they are, as if the command had been killed after its tombstone. */
  unblockOffline(by: string, target: Subject, name: string, id: string | undefined): void {
    const lifts = {
      who: { subjects: [subjectKey(target)] },
      id: { ids: [id ?? ''] },
      policy: { policies: [name] },
      all: { all: true },
    };
    const record = { ...this.stamp(), kind: 'unblock' as const, ...lifts[by as keyof typeof lifts] };
    this.real.journal.text += writeLine(record);
    this.restart();
  }

  mode(mode: Mode): void {
    this.real.ledger.setMode(mode, this.now);
    if (mode === 'enforce') this.model.panicked = false;
    else for (const block of this.model.blocks) block.mode = 'audit';
  }

  allow(who: number, isAllowed: boolean): void {
    const target = SUBJECTS[who % 4] ?? SUBJECTS[0];
    if (isAllowed) this.real.allow.add({ subject: target, reason: 'trusted' });
    else this.real.allow.remove(target);
    this.model.allowed[isAllowed ? 'add' : 'delete'](subjectKey(target));
  }

  gone(who: number): void {
    const target = SUBJECTS[who % 3] ?? SUBJECTS[0];
    const key = subjectKey(target);
    for (const { id } of this.real.ledger.subjectGone(target)) this.windows.delete(id);
    this.model.lift(
      (block) => block.key === key,
      (row) => row.key === key,
    );
  }

  panic(): void {
    expect(this.real.ledger.panic()).toHaveLength(this.model.blocks.length);
    this.windows.clear();
    this.model.lift(
      () => true,
      () => true,
    );
    this.model.panicked = true;
  }

  expire(): void {
    const over = this.model.blocks.filter(({ until }) => until <= this.now).map(({ id }) => id);
    expect(this.real.ledger.expire(this.now).map(({ id }) => id)).toEqual(over);
    this.model.end(
      (block) => block.until <= this.now,
      (block) => block.until,
    );
  }

  /** kill -9, a new agent, and the kernel's windows as they were. */
  restart(): void {
    this.real.clock.ns += 1;
    const { clock, journal } = this.real;
    this.real = world({ clock, text: journal.text });
    const held = [...this.windows.values()].filter(({ untilNs }) => untilNs > this.now);
    const { removeFromKernel, ended, adopted } = this.real.ledger.adopt(held);
    const isKept = ({ id, subject: who }: KernelEntry): boolean =>
      this.model.blocks.some((block) => block.id === id) && !this.model.allowed.has(subjectKey(who));
    expect(removeFromKernel).toEqual(held.filter((entry) => !isKept(entry)));
    expect(adopted).toEqual([]);
    for (const { id } of removeFromKernel) this.windows.delete(id);
    const lost = (block: Plain): boolean =>
      block.pushed && block.until > this.now && !this.windows.has(block.id);
    expect(ended.map(({ id }) => id)).toEqual(this.model.blocks.filter(lost).map(({ id }) => id));
    this.model.end(lost, () => this.now);
  }

  wait(minutes: number): void {
    this.real.clock.ns += minutes * MINUTE;
  }

  stamp() {
    return { boot: 'boot-1', at: this.real.clock.wall(this.now), at_ns: this.now };
  }
}

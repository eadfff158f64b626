/** The one owner of "who is blocked, why, until when"; enforcers make the kernel agree with `desired()`. */
import type { Decision, LedgerEntry, Level, Mode, Severed } from '../model/decision.js';
import type { DesiredEntry } from '../model/desired.js';
import { type Subject, subjectKey } from '../model/subject.js';
import { type Adoption, adopt, type KernelEntry, noteHits } from './adopt.js';
import type { Book } from './book.js';
import { BREAKER_OFF, Breaker, type BreakerLimits } from './breaker.js';
import type { BlockInput, Core, Limits } from './core.js';
import { desiredEntries } from './desired.js';
import type { Guardrails } from './guardrails.js';
import { block, type LiftFilter, type MemberOf, unblock } from './operator.js';
import type { EndReason, Tripped } from './record.js';
import { type DecideInput, type Ruling, ruleOn } from './rule-on.js';

const LIMITS: Limits = { live: 65_536, operator: 1024 };
/** Ids one `end` record names at most: a damaged line costs no more than these. */
const CHUNK = 512;
const NOBODY: MemberOf = () => false;

export interface LedgerStats {
  readonly live: number;
  readonly ended: number;
  /** Decisions there was no room for. */
  readonly overflow: number;
  /** Decisions a guardrail, an unblock or missing trust prevented. */
  readonly refused: number;
  /** Entries of the past forgotten for want of room. */
  readonly forgotten: number;
  readonly panicked: boolean;
}

export class Ledger {
  readonly #core: Core;
  /** The level in force now, which is how decisions are shown, whenever they were made. */
  level: Level | undefined;

  constructor(
    book: Book,
    guardrails: Guardrails,
    limits: Limits = LIMITS,
    breaker = new Breaker(BREAKER_OFF),
  ) {
    this.#core = { book, guardrails, limits, breaker, counts: { overflow: 0, refused: 0 } };
    breaker.resume(book.state.live);
  }

  /** What a finding leads to. Never throws. */
  decide(input: DecideInput): Ruling {
    this.#core.book.catchUp();
    return ruleOn(this.#core, input);
  }

  /** Throws KerngateError (failed) naming the guardrail that spares the subject. A repetition extends. */
  block(input: BlockInput): { decision: LedgerEntry; created: boolean } {
    return block(this.#core, input);
  }

  /** Journalled before it returns what was lifted. Throws KerngateError: notFound, usage. */
  unblock(filter: LiftFilter, memberOf: MemberOf = NOBODY): LedgerEntry[] {
    return unblock(this.#core, filter, memberOf);
  }

  /** To be called once, before the first `desired()`, with everything the kernel still holds. */
  adopt(entries: readonly KernelEntry[]): Adoption {
    this.#core.book.catchUp();
    return adopt(this.#core, entries);
  }

  /** Ends what is over at `nowNs`; answers it. */
  expire(nowNs: number): LedgerEntry[] {
    return this.#end(this.#state.live.ended(nowNs), 'expired');
  }

  /** Ends one decision whose time is over; answers it, or nothing when it has ended already. */
  over(id: string): LedgerEntry[] {
    return this.#state.live.get(id) ? this.#end([id], 'expired') : [];
  }

  /** A process, lineage, session or cgroup is gone for good: so are its decisions and their memory. */
  subjectGone(subject: Pick<Subject, 'kind' | 'id'>): LedgerEntry[] {
    const key = subjectKey(subject);
    const ids = this.#state.live.of(key).map(({ entry }) => entry.id);
    if (ids.length === 0 && !this.#state.strikes.has(key)) return [];
    return this.#end(ids, 'gone', key);
  }

  /** Ends the decisions of rules that are no longer in force; `rules` are the hashes of those that are. */
  retireRules(rules: ReadonlySet<string>): LedgerEntry[] {
    const gone = [...this.#state.live.values()].filter(
      ({ entry }) => entry.by === 'policy' && !rules.has(entry.rule),
    );
    return this.#end(
      gone.map(({ entry }) => entry.id),
      'retired',
    );
  }

  /** The kernel's count of attempts a decision refused, and the time of the latest (ns since boot, 0: none). */
  noteHits(id: string, hits: number, lastNs: number): void {
    noteHits(this.#core, id, hits, lastNs);
  }

  /** What became of the open sockets of a decision; added to what was told before. */
  noteSevered(id: string, { closed, kept, failed, why }: Severed): void {
    const held = this.#state.live.get(id);
    if (held === undefined) return;
    const before = held.entry.severed;
    const severed = { closed: closed + (before?.closed ?? 0), kept, failed, ...(why && { why }) };
    this.#core.book.commit({ kind: 'block', entry: { ...held.entry, severed }, strike: held.strike });
  }

  /**
   * `audit` turns every live deny into audit and answers those; `enforce` promotes none of them, clears the
   * panic and arms the breaker. `atNs` is the moment the kernel was told, so both agree on what came before.
   */
  setMode(mode: Mode, atNs: number): LedgerEntry[] {
    const denies = [...this.#state.live.values()].filter(({ entry }) => entry.mode === 'enforce');
    this.#core.book.commit(
      mode === 'audit' ? { kind: 'mode', mode, demoted_ns: atNs } : { kind: 'mode', mode },
    );
    if (mode === 'enforce') this.#core.breaker.arm();
    return mode === 'audit' ? denies.map(({ entry }) => entry) : [];
  }

  /** The breaker has tripped: as `setMode('audit')`, and until `setMode('enforce')` it is known why. */
  trip(reason: string, atNs: number): void {
    this.#core.book.commit({ kind: 'mode', mode: 'audit', demoted_ns: atNs, tripped: reason });
  }

  /** Why and when the breaker tripped, also under an earlier agent; undefined: it did not. */
  get tripped(): Tripped | undefined {
    return this.#state.tripped;
  }

  get breaker(): BreakerLimits {
    return this.#core.breaker.limits;
  }

  /** Lifts everything and answers it; until `setMode('enforce')` only audit entries are made. */
  panic(): LedgerEntry[] {
    const lifted = [...this.#state.live.values()].map(({ entry }) => entry);
    this.#core.book.commit({ kind: 'panic' });
    return lifted;
  }

  /** At most one entry per subject: allow before deny before audit. Pushed decisions are not in it. */
  desired(): DesiredEntry[] {
    this.#core.book.catchUp();
    return desiredEntries(this.#state, this.#core.guardrails, this.#core.book.clock.bootNs());
  }

  /** Decisions in force, oldest first, in the shape users see. */
  list(): Decision[] {
    return this.entries().map((entry) => this.#shown(entry));
  }

  /** Decisions in force with what only the agent needs. */
  entries(): LedgerEntry[] {
    const nowNs = this.#core.book.clock.bootNs();
    return [...this.#state.live.values()].map(({ entry }) => entry).filter((entry) => entry.untilNs > nowNs);
  }

  /** A decision in force, or undefined. */
  get(id: string): Decision | undefined {
    const entry = this.#state.live.get(id)?.entry;
    return entry && entry.untilNs > this.#core.book.clock.bootNs() ? this.#shown(entry) : undefined;
  }

  /** Grows with every change of what is decided. */
  get version(): number {
    return this.#core.book.version;
  }

  /** The mode last switched to, also by an earlier agent. */
  get mode(): Mode | undefined {
    return this.#state.mode;
  }

  get panicked(): boolean {
    return this.#state.panicked;
  }

  stats(): LedgerStats {
    const { live, ended, strikes, tombstones, panicked } = this.#state;
    const forgotten = ended.evicted + strikes.evicted + tombstones.evicted;
    return { ...this.#core.counts, live: live.size, ended: ended.size, forgotten, panicked };
  }

  get #state() {
    return this.#core.book.state;
  }

  #end(ids: readonly string[], why: EndReason, gone?: string): LedgerEntry[] {
    const entries = ids.flatMap((id) => this.#state.live.get(id)?.entry ?? []);
    for (let i = 0; i === 0 || i < ids.length; i += CHUNK) {
      if (ids.length === 0 && gone === undefined) break;
      const part = ids.slice(i, i + CHUNK);
      this.#core.book.commit(
        gone === undefined ? { kind: 'end', ids: part, why } : { kind: 'end', ids: part, why, gone },
      );
    }
    return entries;
  }

  #shown({ sinceNs: _, untilNs, rule: __, pushed: ___, ...shown }: LedgerEntry): Decision {
    const level = shown.level === 'nftables' ? shown.level : (this.level ?? shown.level);
    return { ...shown, level, until: this.#core.book.clock.wall(untilNs) };
  }
}

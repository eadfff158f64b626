/** Keeps ledger and kernel of one mind about what the hooks decided by themselves. */
import type { Adoption, KernelEntry as LedgerKernelEntry } from '../decide/adopt.js';
import type { Ledger } from '../decide/ledger.js';
import { clearWindows, type KernelEntry, setEntries, windowEntries } from '../kernel/entries.js';
import { fileIdOf } from '../kernel/executable.js';
import type { Maps } from '../kernel/maps.js';
import type { Level } from '../model/decision.js';
import type { Enricher } from '../model/enricher.js';
import { parseProcessId, type Subject } from '../model/subject.js';
import type { PolicyStore } from './policies.js';

export class KernelSync {
  readonly #maps: Maps;
  readonly #ledger: Ledger;
  readonly #policies: PolicyStore;
  readonly #enricher: Enricher;
  readonly #level: () => Level;

  constructor(maps: Maps, ledger: Ledger, policies: PolicyStore, enricher: Enricher, level: () => Level) {
    this.#maps = maps;
    this.#ledger = ledger;
    this.#policies = policies;
    this.#enricher = enricher;
    this.#level = level;
  }

  /**
   * Reads every live verdict: the ledger learns of those whose record was lost or made while no agent
   * ran, and of those that are gone; what must not stand is taken out. Idempotent.
   */
  adopt(nowNs: number): Omit<Adoption, 'removeFromKernel'> {
    const crossed = this.#maps.control.get('CROSSED');
    const windows = windowEntries(this.#maps, nowNs, this.#pathOf);
    // What crosses from here on moves the count, so the hook looks at the windows again.
    if (windows.length === 0) this.#maps.control.set('QUIET', crossed);
    const entries = [...windows, ...this.#setOnce(nowNs)];
    const { removeFromKernel, ...adoption } = this.#ledger.adopt(entries.map((entry) => this.#told(entry)));
    const windowIds = removeFromKernel.filter(({ from }) => from === 'window').map(({ id }) => id);
    this.clear(new Set(windowIds));
    this.#noteHits(entries);
    return adoption;
  }

  /** Brings the counts of hits up to date, also of decisions whose time is just over. */
  refreshHits(): void {
    this.#noteHits([...windowEntries(this.#maps, 0), ...this.#setOnce(0)]);
  }

  /** Empties the windows of these decisions. */
  clear(decisions: ReadonlySet<string>): void {
    if (decisions.size > 0) clearWindows(this.#maps, decisions);
  }

  #noteHits(entries: readonly KernelEntry[]): void {
    for (const { decision, hits, lastNs } of entries) this.#ledger.noteHits(decision, hits, lastNs);
  }

  /** One entry per decision, hits summed: a unit or a tree has several in the kernel. */
  #setOnce(nowNs: number): KernelEntry[] {
    const byDecision = new Map<string, KernelEntry>();
    for (const entry of setEntries(this.#maps, nowNs, this.#pathOf)) {
      if (entry.verdict === 'allow') continue;
      const first = byDecision.get(entry.decision);
      const merged = first
        ? { ...first, hits: first.hits + entry.hits, lastNs: Math.max(first.lastNs, entry.lastNs) }
        : entry;
      byDecision.set(entry.decision, merged);
    }
    return [...byDecision.values()];
  }

  #told(entry: KernelEntry): LedgerKernelEntry {
    const policy = this.#policies.byRule(entry.rule);
    return {
      from: entry.pushed ? 'window' : 'verdict',
      id: entry.decision,
      subject: this.nameOf(entry.subject),
      rule: entry.rule,
      mode: entry.verdict === 'deny' ? 'enforce' : 'audit',
      level: this.#level(),
      sinceNs: entry.sinceNs,
      untilNs: entry.untilNs,
      hits: entry.hits,
      lastNs: entry.lastNs,
      deny: entry.deny,
      ...(policy === undefined ? {} : { policy: policy.name, sever: policy.then.sever }),
    };
  }

  /** A subject as people read it. */
  nameOf({ kind, id }: Pick<Subject, 'kind' | 'id'>): Subject {
    const process = kind === 'process' || kind === 'lineage' ? parseProcessId(id) : undefined;
    if (process) {
      const comm = this.#enricher.nameOf(process.pid, process.startTick);
      const name = `${comm || '?'} (pid ${process.pid})`;
      return { kind, id, name: kind === 'process' ? name : `lineage of ${name}` };
    }
    if (kind === 'cgroup') return { kind, id, name: this.#enricher.cgroup(id, 0).path || `cgroup ${id}` };
    if (kind === 'user') return { kind, id, name: this.#enricher.user(Number(id)) ?? `uid ${id}` };
    return { kind, id, name: kind === 'session' ? `session ${id}` : id };
  }

  /** Only executables some rule names are compared in the kernel, so only they can come back from it. */
  readonly #pathOf = (file: { ino: bigint; dev: number }): string | undefined =>
    this.#policies.rules
      .flatMap((rule) => rule.exes?.paths ?? [])
      .find((path) => {
        const known = fileIdOf(path);
        return known?.ino === file.ino && known.dev === file.dev;
      });
}

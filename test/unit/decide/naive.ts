/** The ledger's rules once more, by search through plain lists. */
import type { KernelEntry } from '../../../src/decide/adopt.js';
import type { LedgerEntry, Mode } from '../../../src/model/decision.js';
import { type Subject, subjectKey } from '../../../src/model/subject.js';
import { HOUR, MINUTE, policy, subject } from './world.js';

export const SUBJECTS = [
  subject('process', '10@1'),
  subject('process', '11@1'),
  subject('cgroup', '77'),
  subject('unit', 'web.service'),
] as const;
export const POLICIES = [
  policy('plain'),
  policy('harsh', { forNs: 7 * MINUTE, escalate: { factor: 2, maxNs: HOUR } }),
] as const;
export const inGroup = (who: Subject, group: Subject): boolean =>
  group.kind === 'cgroup' && who.kind === 'process';

/** A block as a person would write it down. */
export interface Plain {
  id: string;
  key: string;
  policy: string;
  by: string;
  mode: Mode;
  since: number;
  until: number;
  pushed: boolean;
  strike: number;
}

/** Every rule of the ledger, once more, by search through plain lists. */
export class Model {
  blocks: Plain[] = [];
  past: { policy: string; key: string; count: number; end: number }[] = [];
  allowed = new Set<string>();
  panicked = false;

  live(now: number): Plain[] {
    return this.blocks.filter(({ until }) => until > now);
  }
  strike(name: string, key: string, now: number): number {
    const own = this.past.filter((row) => row.policy === name && row.key === key);
    const last = own.at(-1);
    const end = Math.max(...own.map((row) => row.end));
    return last && now - end <= 24 * HOUR ? last.count : 0;
  }
  end(over: (block: Plain) => boolean, endOf: (block: Plain) => number): void {
    for (const block of this.blocks.filter(over))
      if (block.by === 'policy')
        this.past.push({ policy: block.policy, key: block.key, count: block.strike + 1, end: endOf(block) });
    this.blocks = this.blocks.filter((block) => !over(block));
  }
  lift(isHit: (block: Plain) => boolean, isReset: (row: { policy: string; key: string }) => boolean): void {
    const hit = this.blocks.filter(isHit);
    this.blocks = this.blocks.filter((block) => !isHit(block));
    this.past = this.past.filter(
      (row) => !isReset(row) && !hit.some(({ policy: name, key }) => name === row.policy && key === row.key),
    );
  }

  desired(now: number): [string, string, number][] {
    const rows = [...this.allowed].map((key): [string, string, number] => [
      key,
      'allow',
      Number.POSITIVE_INFINITY,
    ]);
    for (const key of SUBJECTS.map(subjectKey).filter((each) => !this.allowed.has(each))) {
      const on = this.live(now).filter((block) => block.key === key && !block.pushed);
      const denies = on.filter(({ mode }) => mode === 'enforce');
      const strongest = denies.length > 0 ? denies : on;
      if (strongest.length === 0) continue;
      const until = Math.max(...strongest.map((block) => block.until));
      rows.push([key, denies.length > 0 ? 'deny' : 'audit', until]);
    }
    return rows;
  }
}

export const asWindow = ({
  id,
  subject: who,
  rule,
  mode,
  sinceNs,
  untilNs,
  policy: name,
}: LedgerEntry): KernelEntry => ({
  ...{
    from: 'window',
    id,
    subject: who,
    rule,
    mode,
    level: 'lsm',
    sinceNs,
    untilNs,
    hits: 1,
    deny: 'new',
    lastNs: sinceNs,
  },
  policy: name,
});

export const asPlain = (entry: LedgerEntry): Omit<Plain, 'strike'> => ({
  id: entry.id,
  key: subjectKey(entry.subject),
  policy: entry.policy,
  by: entry.by,
  mode: entry.mode,
  since: entry.sinceNs,
  until: entry.untilNs,
  pushed: entry.pushed,
});

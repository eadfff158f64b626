/** What the contract says of a row of attempts, in the plainest words: arrays, scans, no shared code. */

export interface RuleSpec {
  readonly name: string;
  readonly on: readonly ('connect' | 'send')[];
  readonly priority: number;
  readonly allow: boolean;
  readonly audit: boolean;
  readonly by: 'process' | 'lineage' | 'cgroup' | 'user' | 'exe' | 'destination';
  /** Undefined: a rule without detector. */
  readonly limit: number | undefined;
  readonly withinMs: number;
  readonly forMs: number;
  readonly ports?: { readonly from: number; readonly to: number };
  readonly net?: { readonly not: boolean; readonly cidr: string; readonly covers: readonly string[] };
  readonly uid?: { readonly not: boolean; readonly uid: number };
  readonly exe?: { readonly not: boolean; readonly path: string };
  readonly proto?: 'tcp' | 'udp';
}

export interface Attempt {
  readonly atNs: bigint;
  readonly kind: 'connect' | 'send';
  readonly proto: 'tcp' | 'udp';
  readonly ip: string;
  readonly port: number;
  readonly uid: number;
  readonly exe: string;
  /** Who makes it, by each key. */
  readonly keys: Readonly<Record<RuleSpec['by'], string>>;
}

export interface Verdict {
  readonly verdict: 'none' | 'audit' | 'deny';
  /** Policy whose verdict it is. */
  readonly policy?: string;
}

interface Window {
  stamps: bigint[];
  verdict?: { readonly kind: 'audit' | 'deny'; readonly until: bigint };
}

const MS = 1_000_000n;

const isMatch = (rule: RuleSpec, attempt: Attempt): boolean =>
  rule.on.includes(attempt.kind) &&
  (!rule.ports || (attempt.port >= rule.ports.from && attempt.port <= rule.ports.to)) &&
  (!rule.net || rule.net.covers.includes(attempt.ip) !== rule.net.not) &&
  (!rule.uid || (rule.uid.uid === attempt.uid) !== rule.uid.not) &&
  (!rule.exe || (rule.exe.path === attempt.exe) !== rule.exe.not) &&
  (!rule.proto || rule.proto === attempt.proto);

export class Oracle {
  readonly #rules: readonly RuleSpec[];
  readonly #windows = new Map<string, Window>();

  constructor(rules: readonly RuleSpec[]) {
    this.#rules = [...rules].sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
  }

  step(attempt: Attempt): Verdict {
    const denies = this.#rules.filter((rule) => !rule.allow);
    const standing = denies.flatMap((rule) => {
      const { verdict } = this.#window(rule, attempt);
      return verdict ? [{ rule, kind: verdict.kind }] : [];
    });
    const refused = standing.find(({ kind }) => kind === 'deny');
    if (refused) return { verdict: 'deny', policy: refused.rule.name };

    const matching = this.#rules.filter((rule) => isMatch(rule, attempt));
    const end = matching.findIndex((rule) => rule.allow);
    const fed = (end < 0 ? matching : matching.slice(0, end)).filter(
      (rule) => !standing.some((other) => other.rule === rule),
    );
    const crossed = fed.filter((rule) => this.#isFull(rule, attempt));
    const denied = crossed.find((rule) => !rule.audit);
    if (denied) {
      this.#cross(denied, attempt);
      return { verdict: 'deny', policy: denied.name };
    }
    for (const rule of fed) {
      if (crossed.includes(rule)) this.#cross(rule, attempt);
      else this.#window(rule, attempt).stamps.push(attempt.atNs);
    }
    const told = [...standing.map(({ rule }) => rule), ...crossed];
    const first = this.#rules.find((rule) => told.includes(rule));
    return first ? { verdict: 'audit', policy: first.name } : { verdict: 'none' };
  }

  /** The operator takes the policy's blocks back: their subjects start anew. */
  lift(name: string, atNs: bigint): void {
    for (const [key, { verdict }] of this.#windows) {
      if (key.startsWith(`${name} `) && verdict && verdict.until > atNs) this.#windows.delete(key);
    }
  }

  /** The window of the attempt's key; past its verdict's end an empty one. */
  #window(rule: RuleSpec, { atNs, keys }: Attempt): Window {
    const key = `${rule.name} ${keys[rule.by]}`;
    const old = this.#windows.get(key);
    if (old && !(old.verdict && old.verdict.until <= atNs)) return old;
    const fresh: Window = { stamps: [] };
    this.#windows.set(key, fresh);
    return fresh;
  }

  #isFull(rule: RuleSpec, attempt: Attempt): boolean {
    const floor = attempt.atNs - BigInt(rule.withinMs) * MS;
    const { stamps } = this.#window(rule, attempt);
    return stamps.filter((stamp) => stamp > floor).length >= (rule.limit ?? 0);
  }

  #cross(rule: RuleSpec, attempt: Attempt): void {
    const kind = rule.audit ? 'audit' : 'deny';
    const until = attempt.atNs + BigInt(rule.forMs) * MS;
    this.#window(rule, attempt).verdict = { kind, until };
  }
}

/** The policy document of a rule. */
export const yamlOf = (rule: RuleSpec): string => {
  const match = [
    rule.ports && `dst.port: ${rule.ports.from}-${rule.ports.to}`,
    rule.net && `dst.ip: ${rule.net.not ? `{not: ${rule.net.cidr}}` : rule.net.cidr}`,
    rule.uid && `uid: ${rule.uid.not ? `{not: ${rule.uid.uid}}` : rule.uid.uid}`,
    rule.exe && `exe: ${rule.exe.not ? `{not: ${rule.exe.path}}` : rule.exe.path}`,
    rule.proto && `proto: ${rule.proto}`,
  ].filter(Boolean);
  const isBurst = !rule.allow && rule.limit !== undefined;
  return [
    'kerngate: 1',
    `policy: ${rule.name}`,
    'summary: A rule made up for a test.',
    'severity: low',
    `priority: ${rule.priority}`,
    `on: [${rule.on.join(', ')}]`,
    ...(match.length > 0 ? [`match: {${match.join(', ')}}`] : []),
    ...(rule.audit ? ['mode: audit'] : []),
    ...(isBurst
      ? [`detect: {burst: {limit: ${rule.limit}, within: ${rule.withinMs}ms, by: ${rule.by}}}`]
      : []),
    rule.allow ? 'then: {allow: true}' : `then: {block: ${BLOCK[rule.by]}, for: ${rule.forMs}ms}`,
    '',
  ].join('\n');
};

const BLOCK: Readonly<Record<RuleSpec['by'], string>> = {
  process: 'process',
  lineage: 'lineage',
  cgroup: 'cgroup',
  destination: 'destination',
  /* a narrower block: the kernel refuses the whole key all the same */
  user: 'process',
  exe: 'process',
};

/**
 * Entries of the agent, protections and switches of the operator, weighed by the kernel as by a naive model:
 * panic, protection, mode, demotion, confirmation, the end of an entry, the canary's own.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  KG_ENTRY,
  KG_EVENT_FLAG,
  KG_MODE,
  KG_REACH,
  KG_SUBJECT_KIND,
  KG_VERDICT_KIND,
  type KgVerdict,
} from '../../src/abi/generated.js';
import { installRules } from '../../src/kernel/rule-bank.js';
import { subjectBit } from '../../src/kernel/subject-codec.js';
import { clear, type Decision, eventOf, openDecision, VERDICTS } from './decision.js';
import type { Attempt } from './oracle.js';

const WEIGHED = 4_000;

let decision: Decision;
beforeAll(() => {
  decision = openDecision();
});
afterAll(() => decision?.close());

it(`weighs verdicts, protections, panic, mode and confirmation in ${WEIGHED} random cases`, () => {
  installRules(decision.maps, [], 'enforce');
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 6 }), control, ([...entries], switches) => {
      clear(decision.maps);
      const { maps } = decision;
      maps.control.set('PANIC', switches.panic ? 1 : 0);
      maps.control.set('MODE', switches.enforce ? KG_MODE.ENFORCE : KG_MODE.AUDIT);
      maps.control.set('DEMOTED', BigInt(switches.demoted));
      maps.control.set('CONFIRM', BigInt(switches.confirm));
      const placed = [...new Map(entries.map((one) => [one.kind, one])).values()];
      for (const one of placed) maps.verdicts.set(SUBJECTS[one.kind], verdictOf(one, idOf(one)));
      maps.control.set(
        'SUBJECTS',
        [...SUBJECT_KINDS].reduce((bits, kind) => bits | subjectBit(SUBJECTS[kind].kind), 0n),
      );
      const got = decision.decide({ ...eventOf(SOMEBODY), session: 5 });
      const wanted = weigh(placed, switches);
      const hits = placed.filter((one) => maps.verdicts.get(SUBJECTS[one.kind])?.hits === 1n).map(idOf);
      expect({
        verdict: VERDICTS[got.verdict],
        decision: got.decision,
        spared: (got.flags & KG_EVENT_FLAG.SPARED) !== 0,
        hits,
      }).toEqual(wanted);
      seen.add(`${wanted.verdict} ${wanted.spared}`);
    }),
    { numRuns: WEIGHED, endOnFailure: true },
  );
  expect([...seen].sort()).toEqual(['audit false', 'deny false', 'none false', 'none true']);
});

const NOW = 5_000n;
const SOMEBODY: Attempt = {
  atNs: NOW,
  kind: 'connect',
  proto: 'tcp',
  ip: '10.1.2.3',
  port: 22,
  uid: 1001,
  exe: process.execPath,
  keys: { process: '100', lineage: '90', cgroup: '7001', user: '1001', exe: '', destination: '' },
};
const { exe_ino: ino, exe_dev: dev, daddr } = eventOf(SOMEBODY);
const halves = new DataView(daddr.buffer, daddr.byteOffset);
/** In the order in which the gate asks. */
const SUBJECT_KINDS = ['process', 'lineage', 'exe', 'session', 'user', 'destination'] as const;
const SUBJECTS = {
  process: { kind: KG_SUBJECT_KIND.PROCESS, a: 100n, b: 100n, port: 0 },
  lineage: { kind: KG_SUBJECT_KIND.LINEAGE, a: 90n, b: 90n, port: 0 },
  exe: { kind: KG_SUBJECT_KIND.EXE, a: ino, b: BigInt(dev), port: 0 },
  session: { kind: KG_SUBJECT_KIND.SESSION, a: 5n, b: 0n, port: 0 },
  user: { kind: KG_SUBJECT_KIND.USER, a: 1001n, b: 0n, port: 0 },
  destination: {
    kind: KG_SUBJECT_KIND.DEST,
    a: halves.getBigUint64(0, true),
    b: halves.getBigUint64(8, true),
    port: 22,
  },
} as const;

const moment = fc.constantFrom(0, 1_000, 4_999, 5_000, 5_001, 9_000);
const entry = fc.record({
  kind: fc.constantFrom(...SUBJECT_KINDS),
  verdict: fc.constantFrom('audit' as const, 'deny' as const, 'deny' as const, 'allow' as const),
  since: moment,
  until: moment,
  alone: fc.nat(5).map((n) => n === 0),
});
const control = fc.record({
  panic: fc.nat(9).map((n) => n === 0),
  enforce: fc.nat(3).map((n) => n > 0),
  demoted: fc.constantFrom(0, 0, 1_000, 4_999),
  confirm: fc.constantFrom(0, 0, 5_000, 5_001),
});
type Entry = typeof entry extends fc.Arbitrary<infer E> ? E : never;
type Switches = typeof control extends fc.Arbitrary<infer S> ? S : never;

const idOf = ({ kind }: Entry): bigint => BigInt(SUBJECT_KINDS.indexOf(kind) + 1);
const CODES = { audit: KG_VERDICT_KIND.AUDIT, deny: KG_VERDICT_KIND.DENY, allow: KG_VERDICT_KIND.ALLOW };

const verdictOf = ({ verdict, since, until, alone }: Entry, decision: bigint): KgVerdict => ({
  since_ns: BigInt(since),
  until_ns: BigInt(until),
  decision,
  rule: 0n,
  hits: 0n,
  last_ns: 0n,
  verdict: CODES[verdict],
  inherit: alone ? KG_ENTRY.GATE : KG_ENTRY.PLAIN,
  reach: KG_REACH.NEW,
});

/** The same in plain words. */
const weigh = (entries: readonly Entry[], { panic, enforce, demoted, confirm }: Switches) => {
  const nothing = { verdict: 'none', decision: 0n, spared: false, hits: [] as bigint[] };
  if (panic) return nothing;
  const live = SUBJECT_KINDS.flatMap((kind) => entries.filter((one) => one.kind === kind && one.until > NOW));
  const alone = live.find((one) => one.kind === 'process' && one.alone);
  const asked = alone ? [alone] : live;
  const isSoft = (since: number) => !enforce || since <= demoted || (confirm !== 0 && confirm <= NOW);
  const met = asked
    .filter(({ verdict }) => verdict !== 'allow')
    .map((one) => ({ one, verdict: one.verdict === 'deny' && !isSoft(one.since) ? 'deny' : 'audit' }));
  const first = met.find(({ verdict }) => verdict === 'deny') ?? met[0];
  if (!first) return nothing;
  if (asked.some(({ verdict }) => verdict === 'allow'))
    return { ...nothing, decision: idOf(first.one), spared: true };
  return { verdict: first.verdict, decision: idOf(first.one), spared: false, hits: [idOf(first.one)] };
};

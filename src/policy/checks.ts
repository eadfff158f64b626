/** Reads detect and then of a policy, and checks what the shape alone cannot: units, order, sense. */
import { parseDuration } from '../lib/duration.js';
import type { EventKind } from '../model/event.js';
import type { BurstTier, Detect, Then } from '../model/policy.js';
import { quote } from './problem.js';
import { MAX_TIERS, type PolicyText, type TierText } from './schema.js';
import type { Fault } from './shape.js';
import { blockableBy, hasDistinct, subjectsOf } from './subjects.js';
import type { Path } from './yaml-source.js';

const DEFAULT_FOR_NS = 600e9;

/** The detector of a policy; faults are added, and what is faulty has a harmless value. */
export const readDetect = (policy: PolicyText, on: readonly EventKind[], faults: Fault[]): Detect => {
  if (!policy.detect) return { type: 'rule' };
  const { burst } = policy.detect;
  const path = ['detect', 'burst'];
  const listed = Array.isArray(burst);
  const tiers: readonly TierText[] = listed ? burst : [burst];
  const at = (i: number): Path => (listed ? [...path, i] : path);
  const [first] = listed ? burst : [burst];
  const { by, distinct } = first;
  tiers.forEach((tier, i) => {
    checkTier(tier, { by, distinct, path: at(i) }, faults);
  });
  if (tiers.length > MAX_TIERS)
    faults.push({ path, key: true, message: `a burst has at most ${MAX_TIERS} tiers` });
  checkSubjects({ by, distinct, path: at(0) }, on, faults);
  const read = tiers.map((tier, i): BurstTier => {
    return { limit: tier.limit, withinNs: readDuration(tier.within, [...at(i), 'within'], faults) };
  });
  return { type: 'burst', tiers: read, by, ...(distinct === undefined ? {} : { distinct }) };
};

type Key = Pick<Extract<Detect, { type: 'burst' }>, 'by'> & {
  readonly distinct: TierText['distinct'];
  readonly path: Path;
};

/** All tiers look at one window per key, so the key is that of the first. */
const checkTier = (tier: TierText, { by, distinct, path }: Key, faults: Fault[]): void => {
  for (const [name, mine, first] of [
    ['by', tier.by, by],
    ['distinct', tier.distinct, distinct],
  ] as const) {
    if (mine === undefined || mine === first) continue;
    faults.push({
      path: [...path, name],
      key: false,
      message: `all tiers count alike: ${name} must be that of the first`,
    });
  }
};

const checkSubjects = ({ by, distinct, path }: Key, on: readonly EventKind[], faults: Fault[]): void => {
  const subjects = subjectsOf(on);
  if (!subjects.includes(by)) {
    const message = `not every event of ${on.join(', ')} has a ${by}: by is one of ${subjects.join(', ')}`;
    faults.push({ path: [...path, 'by'], key: false, message });
  }
  const without = distinct && on.find((kind) => !hasDistinct(kind, distinct));
  if (without) {
    faults.push({
      path: [...path, 'distinct'],
      key: false,
      message: `events of ${without} have no ${distinct}`,
    });
  }
};

const readDuration = (text: string, path: Path, faults: Fault[]): number => {
  const ns = parseDuration(text);
  if (ns !== undefined && ns > 0) return ns;
  const message =
    ns === 0
      ? `${quote(text)} is no time at all: it must be longer`
      : `${quote(text)} is not a duration such as 30s, 10m, 4h or 7d`;
  faults.push({ path, key: false, message });
  return 1e9;
};

/** What follows from a finding; faults are added as above. */
export const readThen = (policy: PolicyText, on: readonly EventKind[], faults: Fault[]): Then => {
  const { then } = policy;
  checkActions(policy, faults);
  if (then.block !== undefined && !blockableBy(on).includes(then.block)) {
    const allowed = blockableBy(on).join(', ');
    const message = `cannot block a ${then.block} after ${on.join(', ')}: block is one of ${allowed}`;
    faults.push({ path: ['then', 'block'], key: false, message });
  }
  const { escalate } = then;
  return {
    ...(then.block === undefined ? {} : { block: then.block }),
    forNs: then.for === undefined ? DEFAULT_FOR_NS : readDuration(then.for, ['then', 'for'], faults),
    deny: then.deny ?? 'new',
    sever: then.sever ?? false,
    alert: then.alert ?? false,
    allow: then.allow ?? false,
    ...(escalate && {
      escalate: {
        factor: escalate.factor,
        maxNs: readDuration(escalate.max, ['then', 'escalate', 'max'], faults),
      },
    }),
  };
};

const ONLY_WITH_BLOCK = ['for', 'deny', 'sever', 'escalate'] as const;

/** One action per policy; what describes a block needs one. */
const checkActions = ({ then, detect }: PolicyText, faults: Fault[]): void => {
  const actions = (['block', 'alert', 'allow'] as const).filter(
    (name) => then[name] !== undefined && then[name] !== false,
  );
  if (actions.length === 0) {
    faults.push({
      path: ['then'],
      key: true,
      message: 'then does nothing: expected block, alert: true or allow: true',
    });
  }
  if (actions.length > 1) {
    const reason =
      then.allow === true ? 'what is allowed is neither blocked nor reported' : 'a block is reported anyway';
    faults.push({
      path: ['then', actions[1] ?? ''],
      key: true,
      message: `${actions.join(' and ')} exclude each other: ${reason}`,
    });
  }
  if (then.allow === true && detect) {
    faults.push({
      path: ['detect'],
      key: true,
      message: 'allow takes effect on each match: it has no detector',
    });
  }
  if (actions.includes('block')) return;
  for (const name of ONLY_WITH_BLOCK) {
    if (then[name] !== undefined)
      faults.push({ path: ['then', name], key: true, message: `${name} needs block` });
  }
};

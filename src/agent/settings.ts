/** What the configuration means to the kernel's maps, and which process the hooks must not see. */
import { BREAKER, type BreakerLimits } from '../decide/breaker.js';
import type { Control } from '../kernel/control.js';
import type { Maps } from '../kernel/maps.js';
import type { Scope } from '../kernel/prerequisites.js';
import { parseDuration } from '../lib/duration.js';
import { startTickOf } from '../lib/proc.js';
import type { AllowEntry } from '../model/decision.js';
import type { Config } from './config.js';
import { installLaunchers } from './lineage.js';
import { installLocals } from './locals.js';
import { subjectOfTarget } from './targets.js';

/** Sizes of maps, by name. */
export const sizesOf = ({ limits: { windows, events, crossings } }: Config): Record<string, number> => ({
  kg_windows: windows,
  ...(events !== undefined && { kg_events: events }),
  ...(crossings !== undefined && { kg_crossings: crossings }),
});

/** Before anything else: the hooks must not see their own agent. One cgroup or user never fills the windows. */
export const introduce = (control: Control, { limits }: Config): void => {
  control.set('AGENT', process.pid);
  control.set('AGENT_TICK', startTickOf(process.pid) ?? 0);
  /* an earlier agent was told so, perhaps; this one not yet */
  control.set('SHIELD', 0);
  control.set('QUOTA_CG', Math.max(1, Math.floor(limits.windows / 4)));
  control.set('QUOTA_UID', Math.max(1, Math.floor(limits.windows / 2)));
};

/** What the circuit breaker lets policies do. */
export const breakerBy = ({ breaker: { blocks, within, units } }: Config): BreakerLimits => ({
  blocks: blocks === 'off' ? undefined : blocks,
  withinNs: parseDuration(within) ?? BREAKER.withinNs,
  units: units === 'off' ? undefined : Number.parseInt(units, 10) / 100,
});

/** The files the hooks tell apart: launchers, and AF_UNIX sockets of brokers and logs. */
export const installFiles = (maps: Maps, { launchers, locals }: Config): void => {
  installLaunchers(maps, launchers);
  installLocals(maps, locals);
};

/** The allow list of the configuration. Throws KerngateError for a cgroup that is not there. */
export const allowedBy = ({ allow }: Config, scope: Scope): Pick<AllowEntry, 'subject' | 'reason'>[] =>
  allow.map(({ subject, reason }) => {
    const colon = subject.indexOf(':');
    const [kind, id] = [subject.slice(0, colon), subject.slice(colon + 1)];
    if (kind === 'cgroup' && id.startsWith('/')) {
      return { subject: subjectOfTarget({ cgroup: id }, scope), reason };
    }
    return { subject: { kind: kind as never, id, name: id }, reason };
  });

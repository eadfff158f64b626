/** What the attempts of a way amount to: denied, escaped, or not to be tried on this kernel. */
import { getSystemErrorName } from 'node:util';
import type { OpenWay } from '../kernel/promises.js';
import type { Trial, Way } from './prober.js';

export type Result = 'denied' | 'escaped' | 'not on this kernel';

export interface WayResult extends Way {
  readonly result: Result;
  /** What the attacker itself got in the end; absent when it saw no error. */
  readonly errno?: string;
  /** Why it is open by design, or why it cannot be tried. */
  readonly reason?: string;
  /** The level promises this way to be shut. */
  readonly promised: boolean;
}

/** `EPERM`; a signal as `signal 11`; undefined for no error. */
export const errnoText = (code: number): string | undefined => {
  if (code === 0) return undefined;
  if (code < 0) return `signal ${-code}`;
  try {
    return getSystemErrorName(-code);
  } catch {
    return `errno ${code}`;
  }
};

const whyNot = ({ needs }: Way, { cannot, ended }: Trial): string => {
  const errno = errnoText(cannot ?? ended) ?? 'nothing arrived';
  const what = cannot === undefined ? 'unblocked it does not arrive either' : 'it cannot be prepared';
  return `${what} (${errno})${needs === '' ? '' : `; it needs ${needs}`}`;
};

/** `blocked` is the attempt under the block; absent when the baseline reached nobody, which then shows nothing. */
export const judge = (
  way: Way,
  open: readonly OpenWay[],
  baseline: Trial,
  blocked: Trial | undefined,
): WayResult => {
  const design = open.find((gap) => gap.way === way.way);
  const promised = design === undefined;
  if (!baseline.reached || blocked === undefined) {
    return { ...way, result: 'not on this kernel', reason: whyNot(way, baseline), promised };
  }
  const errno = errnoText(blocked.cannot ?? blocked.ended);
  return {
    ...way,
    result: blocked.reached ? 'escaped' : 'denied',
    ...(errno === undefined ? {} : { errno }),
    ...(design === undefined || !blocked.reached ? {} : { reason: `open by design: ${design.reason}` }),
    promised,
  };
};

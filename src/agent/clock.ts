/** The host's clock: boot time from the kernel, wall time by the present difference between the two. */
import type { Native } from '../kernel/native.js';
import type { Clock } from '../lib/clock.js';

/** The difference is read anew each second: it changes when the wall clock is set. */
const REFRESH_NS = 1e9;
/** Date's range ends in the year 275760; what has no end is shown as the latest of RFC 3339. */
const FOREVER = '9999-12-31T23:59:59.999Z';

export const hostClock = (native: Native): Clock => {
  let offsetMs = 0;
  let readAtNs = Number.NEGATIVE_INFINITY;
  return {
    bootNs: () => native.bootNs(),
    wall: (bootNs) => {
      const nowNs = native.bootNs();
      if (nowNs - readAtNs > REFRESH_NS) {
        offsetMs = Date.now() - nowNs / 1e6;
        readAtNs = nowNs;
      }
      const ms = offsetMs + bootNs / 1e6;
      return ms < 253_402_300_799_999 ? new Date(ms).toISOString() : FOREVER;
    },
  };
};

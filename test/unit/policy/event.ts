/** Builds the events the policy tests look at. */
import type { EventView } from '../../../src/model/event.js';

/** A connect to 10.0.0.5:22 by a shell of user 1000, with the given differences. */
export const eventOf = (changes: Partial<EventView> = {}): EventView => ({
  kind: 'connect',
  atNs: 1e9,
  pid: 4242,
  startTick: 77,
  ppid: 1,
  session: 3,
  uid: 1000,
  comm: 'bash',
  exe: '/usr/bin/bash',
  cmdline: 'bash -c x',
  cgroupId: '18446744073709551615',
  cgroupPath: '/user.slice/user-1000.slice/session-3.scope',
  unit: undefined,
  container: undefined,
  user: 'alice',
  proto: 'tcp',
  srcIp: '10.0.0.1',
  srcPort: 40_000,
  dstIp: '10.0.0.5',
  dstPort: 22,
  result: undefined,
  auth: undefined,
  verdict: 'none',
  decision: undefined,
  rule: undefined,
  crossed: false,
  untrusted: false,
  child: undefined,
  lost: 0,
  key: () => undefined,
  snapshot: () => {
    throw new Error('the policy language keeps no events');
  },
  ...changes,
});

/** Names of transport protocols. */
import type { EventKind, Proto } from '../model/event.js';

const NAMES: Readonly<Record<number, Proto>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

/** Name of an IP protocol number, undefined for 0: the event has none. A raw socket's number is a filter, not a transport. */
export const protoOf = (kind: EventKind, number: number): Proto | undefined => {
  if (kind === 'socket.raw') return 'raw';
  return number === 0 ? undefined : (NAMES[number] ?? 'other');
};

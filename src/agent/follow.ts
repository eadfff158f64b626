/** Hands events to who follows them; for a capture the hooks tell more of each. */
import { KG_NEEDS } from '../abi/generated.js';
import type { EventFilter, EventSink } from '../control/api.js';
import type { Maps } from '../kernel/maps.js';
import type { EventView } from '../model/event.js';
import type { Agent } from './agent.js';

/** Hands each event that `matches` to `sink` until the returned function is called. */
export const followEvents = (
  agent: Pick<Agent, 'maps' | 'reporter'>,
  matches: (event: EventView) => boolean,
  { capture = false }: EventFilter,
  sink: EventSink,
): (() => void) => {
  if (capture) askLineage(agent.maps);
  const options = { isCapture: capture, hasRoom: () => sink.hasRoom() };
  return agent.reporter.followers.follow(matches, (event) => sink.event(event), options);
};

/** From now on the hooks tell the lineage of each process; bits are only ever added, see `PolicyStore`. */
const askLineage = (maps: Maps): void =>
  maps.control.set('NEEDS', maps.control.get('NEEDS') | BigInt(KG_NEEDS.LINEAGE));

/** Shows an event to CEL: each field is read from the event only when the expression asks for it. */
import type { AuthInfo, EventView } from '../model/event.js';

// One set of objects serves all evaluations: they are synchronous, and none outlives its call. A
// field the event does not have reads as undefined, which CEL takes for an absent key.
let view: EventView;

const int = (value: number | undefined): bigint | undefined =>
  value === undefined ? undefined : BigInt(value);
const known = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

export class EndpointOf {
  readonly side: 'src' | 'dst';
  constructor(side: 'src' | 'dst') {
    this.side = side;
  }
  get ip(): string | undefined {
    return this.side === 'src' ? view.srcIp : view.dstIp;
  }
  get port(): bigint | undefined {
    return int(this.side === 'src' ? view.srcPort : view.dstPort);
  }
}

export class Cgroup {
  get id(): string {
    return view.cgroupId;
  }
  get path(): string | undefined {
    return known(view.cgroupPath);
  }
}

export class Auth {
  get service(): string | undefined {
    return known(this.info?.service);
  }
  get user(): string | undefined {
    return known(this.info?.user);
  }
  get rhost(): string | undefined {
    return known(this.info?.rhost);
  }
  get method(): string | undefined {
    return known(this.info?.method);
  }
  get outcome(): string | undefined {
    return this.info?.outcome;
  }
  private get info(): AuthInfo | undefined {
    return view.auth;
  }
}

const src = new EndpointOf('src');
const dst = new EndpointOf('dst');
const cgroup = new Cgroup();
const auth = new Auth();

export class EventOf {
  get kind(): string {
    return view.kind;
  }
  get pid(): bigint | undefined {
    return int(view.pid);
  }
  get ppid(): bigint | undefined {
    return int(view.ppid);
  }
  get child(): bigint | undefined {
    return int(view.child);
  }
  get session(): bigint | undefined {
    return view.session < 0 ? undefined : int(view.session);
  }
  get uid(): bigint | undefined {
    return int(view.uid);
  }
  get comm(): string | undefined {
    return known(view.comm);
  }
  get exe(): string | undefined {
    return known(view.exe);
  }
  get cmdline(): string | undefined {
    return known(view.cmdline);
  }
  get user(): string | undefined {
    return known(view.user);
  }
  get unit(): string | undefined {
    return known(view.unit);
  }
  get container(): string | undefined {
    return known(view.container);
  }
  get proto(): string | undefined {
    return view.proto;
  }
  get verdict(): string {
    return view.verdict;
  }
  get untrusted(): boolean {
    return view.untrusted;
  }
  get result(): bigint | string | undefined {
    return typeof view.result === 'number' ? int(view.result) : view.result;
  }
  get cgroup(): Cgroup {
    return cgroup;
  }
  get src(): EndpointOf | undefined {
    return view.srcIp === undefined && view.srcPort === undefined ? undefined : src;
  }
  get dst(): EndpointOf | undefined {
    return view.dstIp === undefined && view.dstPort === undefined ? undefined : dst;
  }
  get auth(): Auth | undefined {
    return view.auth === undefined ? undefined : auth;
  }
}

const context = { event: new EventOf() };

/** The variables of an expression for this event, valid until the next call. */
export const activate = (event: EventView): { readonly event: EventOf } => {
  view = event;
  return context;
};

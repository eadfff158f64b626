/** One event of a capture, read on demand: from the scanned bytes of its line, else from its JSON. */
import type { AuthInfo, EventKind, Proto } from '../model/event.js';
import { type CapturedEvent, tickOf } from '../model/json-event.js';
import { KIND_BYTES, PROTO_BYTES, placeOf } from './fields.js';
import { Scanner } from './scan.js';

const AT = placeOf('at');
const BOOT_NS = placeOf('boot_ns');
const KIND = placeOf('kind');
const PID = placeOf('pid');
const START = placeOf('start');
const PPID = placeOf('ppid');
const SESSION = placeOf('session');
const UID = placeOf('uid');
const USER = placeOf('user');
const COMM = placeOf('comm');
const EXE = placeOf('exe');
const CMDLINE = placeOf('cmdline');
const CGROUP_ID = placeOf('cgroup.id');
const CGROUP_PATH = placeOf('cgroup.path');
const UNIT = placeOf('unit');
const CONTAINER = placeOf('container');
const PROTO = placeOf('proto');
const SRC_IP = placeOf('src.ip');
const SRC_PORT = placeOf('src.port');
const DST_IP = placeOf('dst.ip');
const DST_PORT = placeOf('dst.port');
const RESULT = placeOf('result');
const VERDICT = placeOf('verdict');
const UNTRUSTED = placeOf('untrusted');
const CHILD = placeOf('child');
const LOST = placeOf('lost');
const CHILD_START = placeOf('child_start');
const LINEAGE = placeOf('lineage');
const LINEAGE_PID = placeOf('lineage.pid');
const LINEAGE_START = placeOf('lineage.start');
const LINEAGE_COMM = placeOf('lineage.comm');

/** The kernel's way to write "no session". */
const UNSET_SESSION = 0xffff_ffff;
const TICK_NS = 10_000_000;
const NOTHING = new Scanner();
const NO_BYTES = Buffer.alloc(0);

/** Who keeps where lines lie: `bytes` from `from` to `to`, read with chunk number `chunk` of the file. */
export interface LineKeeper {
  put(bytes: Buffer, from: number, to: number, chunk: number): void;
}

/**
 * One object serves all events; what it says is void after the next `scanned`, `parsed` or `copy`.
 * Texts are copies: a slice would keep a whole chunk of the file in memory.
 */
export class Captured {
  /** Nanoseconds since boot; see `EventView`. */
  atNs = 0;
  #scan = NOTHING;
  #bytes: Buffer = NO_BYTES;
  #from = 0;
  #to = 0;
  #chunk = 0;
  #json: CapturedEvent | undefined;

  /** `scan` has read the line in [from, to) of `bytes`, which came with chunk number `chunk`. */
  scanned(scan: Scanner, bytes: Buffer, from: number, to: number, chunk: number): void {
    this.#scan = scan;
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
    this.#chunk = chunk;
    this.#json = undefined;
    const ns = scan.number[BOOT_NS] as number;
    this.atNs = Number.isNaN(ns) ? Number(this.#text(BOOT_NS)) : ns;
  }

  /** The line was parsed and checked. */
  parsed(event: CapturedEvent, chunk = 0): void {
    this.#json = event;
    this.#chunk = chunk;
    this.atNs = Number(event.boot_ns);
  }

  /** The same event as `other`, and void with it. */
  copy(other: Captured): void {
    this.#scan = other.#scan;
    this.#bytes = other.#bytes;
    this.#from = other.#from;
    this.#to = other.#to;
    this.#chunk = other.#chunk;
    this.#json = other.#json;
    this.atNs = other.atNs;
  }

  /** The event as an object of its own, which may be kept. */
  whole(): CapturedEvent {
    return this.#json ?? (JSON.parse(this.#bytes.toString('latin1', this.#from, this.#to)) as CapturedEvent);
  }

  /** Tells where its JSON text lies. Of an event that was parsed the text is made anew. */
  keepIn(keeper: LineKeeper): void {
    if (!this.#json) {
      keeper.put(this.#bytes, this.#from, this.#to, this.#chunk);
      return;
    }
    const bytes = Buffer.from(JSON.stringify(this.#json));
    keeper.put(bytes, 0, bytes.length, this.#chunk);
  }

  get at(): string {
    return this.#json ? this.#json.at : this.#text(AT);
  }
  get bootNs(): string {
    return this.#json ? this.#json.boot_ns : this.#text(BOOT_NS);
  }
  get kind(): EventKind {
    return this.#json ? this.#json.kind : (KIND_BYTES[this.#scan.number[KIND] as number]?.kind as EventKind);
  }
  get pid(): number {
    return this.#json ? this.#json.pid : (this.#scan.number[PID] as number);
  }
  get startNs(): number {
    return this.#json ? Number(this.#json.start) : this.#ns(START);
  }
  get startTick(): number {
    return this.#json ? tickOf(this.#json.start) : this.#tick(START);
  }
  get ppid(): number {
    return this.#json ? this.#json.ppid : (this.#scan.number[PPID] as number);
  }
  get session(): number {
    const session = this.#json ? (this.#json.session ?? -1) : (this.#scan.number[SESSION] as number);
    return session === UNSET_SESSION ? -1 : session;
  }
  get uid(): number {
    return this.#json ? this.#json.uid : (this.#scan.number[UID] as number);
  }
  get comm(): string {
    return this.#json ? this.#json.comm : this.#text(COMM);
  }
  /** Whether `comm` is this text; makes none. */
  isCalled(comm: string): boolean {
    if (this.#json) return this.#json.comm === comm;
    const from = this.#scan.from[COMM] as number;
    if ((this.#scan.to[COMM] as number) - from !== comm.length) return false;
    for (let i = 0; i < comm.length; i++) if (this.#bytes[from + i] !== comm.charCodeAt(i)) return false;
    return true;
  }
  get exe(): string {
    return this.#json ? this.#json.exe : this.#text(EXE);
  }
  get cmdline(): string {
    return (this.#json ? this.#json.cmdline : this.#optional(CMDLINE)) ?? '';
  }
  get cgroupId(): string {
    return this.#json ? this.#json.cgroup.id : this.#text(CGROUP_ID);
  }
  get cgroupPath(): string {
    return this.#json ? this.#json.cgroup.path : this.#text(CGROUP_PATH);
  }
  get unit(): string | undefined {
    return this.#json ? this.#json.unit : this.#optional(UNIT);
  }
  get container(): string | undefined {
    return this.#json ? this.#json.container : this.#optional(CONTAINER);
  }
  get user(): string | undefined {
    return this.#json ? this.#json.user : this.#optional(USER);
  }
  get proto(): Proto | undefined {
    if (this.#json) return this.#json.proto;
    return this.#scan.has(PROTO) ? PROTO_BYTES[this.#scan.number[PROTO] as number]?.proto : undefined;
  }
  get srcIp(): string | undefined {
    return this.#json ? this.#json.src?.ip : this.#optional(SRC_IP);
  }
  get srcPort(): number | undefined {
    return this.#json ? this.#json.src?.port : this.#number(SRC_PORT);
  }
  get dstIp(): string | undefined {
    return this.#json ? this.#json.dst?.ip : this.#optional(DST_IP);
  }
  get dstPort(): number | undefined {
    return this.#json ? this.#json.dst?.port : this.#number(DST_PORT);
  }
  /** As captured; EPERM of a captured deny came of that verdict, which is another run's. */
  get result(): 0 | string | undefined {
    const result = this.#json ? this.#json.result : this.#result;
    return result === 'EPERM' && this.#capturedVerdict === 'deny' ? undefined : result;
  }
  get auth(): AuthInfo | undefined {
    return this.#json?.auth;
  }
  get untrusted(): boolean {
    return this.#json ? (this.#json.untrusted ?? false) : this.#number(UNTRUSTED) === 1;
  }
  get child(): number | undefined {
    return this.#json ? this.#json.child : this.#number(CHILD);
  }
  get childTick(): number | undefined {
    if (!this.#json) return this.#scan.has(CHILD_START) ? this.#tick(CHILD_START) : undefined;
    return this.#json.child_start === undefined ? undefined : tickOf(this.#json.child_start);
  }
  get lost(): number {
    return (this.#json ? this.#json.lost : this.#number(LOST)) ?? 0;
  }
  /** The root of its tree, when the capture says so. */
  get lineage(): { pid: number; tick: number; comm: string } | undefined {
    if (!this.#json) {
      if (!this.#scan.has(LINEAGE)) return undefined;
      const pid = this.#scan.number[LINEAGE_PID] as number;
      return { pid, tick: this.#tick(LINEAGE_START), comm: this.#optional(LINEAGE_COMM) ?? '' };
    }
    const { lineage } = this.#json;
    return lineage && { pid: lineage.pid, tick: tickOf(lineage.start), comm: lineage.comm ?? '' };
  }

  get #capturedVerdict(): string | undefined {
    return this.#json ? this.#json.verdict : this.#optional(VERDICT);
  }

  /** A number is 0, which nothing else may be; a text is in quotes. */
  get #result(): 0 | string | undefined {
    if (!this.#scan.has(RESULT)) return undefined;
    return this.#bytes[(this.#scan.from[RESULT] as number) - 1] === 0x22 ? this.#text(RESULT) : 0;
  }

  #text(place: number): string {
    return this.#bytes.toString('latin1', this.#scan.from[place], this.#scan.to[place]);
  }

  #optional(place: number): string | undefined {
    return this.#scan.has(place) ? this.#text(place) : undefined;
  }

  #number(place: number): number | undefined {
    return this.#scan.has(place) ? (this.#scan.number[place] as number) : undefined;
  }

  #ns(place: number): number {
    const ns = this.#scan.number[place] as number;
    return Number.isNaN(ns) ? Number(this.#text(place)) : ns;
  }

  #tick(place: number): number {
    const ns = this.#scan.number[place] as number;
    return Number.isNaN(ns) ? tickOf(this.#text(place)) : Math.floor(ns / TICK_NS);
  }
}

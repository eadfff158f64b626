/** What the host cannot do without, told by what it is and not by whom it was started: sshd, name servers, addresses. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Guardrails } from '../decide/guardrails.js';
import { unitOf } from '../lib/cgroup-path.js';
import { cgroupOf } from '../lib/cgroup-tree.js';
import { processes, readArgs, readExe, startTickOf } from '../lib/proc.js';
import { processId } from '../model/subject.js';

const WAY_IN = 'sshd, the way into this host';
const NAMES = 'it resolves names for this host';
const ADDRESSES = "it keeps this host's addresses";

type Program = readonly [name: string, why: string, ...users: string[]];

/** Programs by the last part of their path, and the accounts besides root that their packages give them. */
const TABLE: readonly Program[] = [
  ['sshd', WAY_IN],
  ['sshd-session', WAY_IN],
  ['sshd-auth', WAY_IN],
  ['systemd-resolved', NAMES, 'systemd-resolve'],
  ['unbound', NAMES, 'unbound', '_unbound'],
  ['dnsmasq', NAMES, 'dnsmasq'],
  ['named', NAMES, 'bind', 'named'],
  ['kresd', NAMES, 'knot-resolver'],
  ['pdns_recursor', NAMES, 'pdns'],
  ['stubby', NAMES, 'stubby'],
  ['nscd', NAMES, 'nscd'],
  ['systemd-networkd', ADDRESSES, 'systemd-network'],
  ['NetworkManager', ADDRESSES],
  ['dhclient', ADDRESSES, 'dhcpd'],
  ['dhcpcd', ADDRESSES, 'dhcpcd', '_dhcp'],
];
const PROGRAMS = new Map(TABLE.map(([name, why, ...users]) => [name, { why, users }]));
const programOf = (exe: string) => PROGRAMS.get(exe.slice(exe.lastIndexOf('/') + 1));

/** Cgroups of units are made by root alone, so their names are believed whatever user runs in them. */
const UNITS =
  /^(?:systemd-resolved|unbound|dnsmasq|named|bind9|kresd@\w+|systemd-networkd|NetworkManager)\.service$/;

/** Title of a login that has been let in (`sshd: alice@pts/0`): it forwards ports, so it can be blocked. */
const LOGIN = /: \S+@/;
const DNS_PORT = ':0035';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const link = (path: string): string => {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
};

/** True for a program whose start is worth a look. */
export const isVitalProgram = (exe: string): boolean => programOf(exe) !== undefined;

export class Vitals {
  /** Those this has protected, until they are something else. */
  readonly #known = new Map<string, readonly [pid: number, startTick: number]>();
  #isChanged = false;
  #guardrails: Guardrails | undefined;
  #users: ReadonlyMap<string, string> = new Map();
  #sockets: ReadonlySet<string> = new Set();

  /** Where they are protected; until then nobody is. */
  watch(guardrails: Guardrails): void {
    this.#guardrails = guardrails;
  }

  /** Why a living process must not be blocked, from now on; undefined when it is like any other. */
  why(pid: number, startTick: number): string | undefined {
    this.#look();
    const why = this.#why(pid);
    if (why !== undefined) this.#protect(pid, startTick, why);
    return why;
  }

  /** Protects all there are now, and no longer those that became something else. */
  refresh(): void {
    this.#look();
    const found = new Set<string>();
    for (const pid of processes()) {
      const why = this.#why(pid);
      const startTick = why === undefined ? undefined : startTickOf(pid);
      if (why === undefined || startTick === undefined) continue;
      found.add(processId(pid, startTick));
      this.#protect(pid, startTick, why);
    }
    for (const [id, [pid, startTick]] of this.#known) {
      if (found.has(id)) continue;
      this.#known.delete(id);
      this.#guardrails?.forget(pid, startTick);
      this.#isChanged = true;
    }
  }

  /** True once after each change: the kernel is to be told. */
  takeChange(): boolean {
    const isChanged = this.#isChanged;
    this.#isChanged = false;
    return isChanged;
  }

  /** One that is protected for another reason stays so when it is vital no more. */
  #protect(pid: number, startTick: number, why: string): void {
    const id = processId(pid, startTick);
    if (this.#known.has(id) || this.#guardrails?.isProtected(pid, startTick) !== false) return;
    if (!this.#guardrails.protect({ pid, startTick, why })) return;
    this.#known.set(id, [pid, startTick]);
    this.#isChanged = true;
  }

  /** Accounts and name servers' sockets as they are now. */
  #look(): void {
    const rows = read('/etc/passwd').split('\n');
    this.#users = new Map(rows.map((row) => row.split(':')).map(([name = '', , uid = '']) => [uid, name]));
    const sockets = `${read('/proc/net/udp')}${read('/proc/net/udp6')}`.split('\n');
    const bound = sockets.map((row) => row.trim().split(/\s+/)).filter(([, own]) => own?.endsWith(DNS_PORT));
    this.#sockets = new Set(bound.map((row) => `socket:[${row[9]}]`));
  }

  #why(pid: number): string | undefined {
    const exe = readExe(pid);
    if (exe === '' || !isOfHost(pid)) return undefined; /* a thread of the kernel, or a container's own */
    const known = programOf(exe);
    if (known && this.#runsAs(pid, known.users)) {
      return known.why === WAY_IN && LOGIN.test(readArgs(pid)[0] ?? '') ? undefined : known.why;
    }
    const unit = unitOf(cgroupOf(pid) ?? '');
    if (unit !== undefined && UNITS.test(unit)) return reasonOf(unit);
    return this.#sockets.size > 0 && this.#holds(pid) ? NAMES : undefined;
  }

  /** Anybody may start these programs; only root and its daemons start as these users. */
  #runsAs(pid: number, users: readonly string[]): boolean {
    const uids = /^Uid:\s*(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1]?.split('\t') ?? [];
    return uids.length > 0 && uids.every((uid) => uid === '0' || users.includes(this.#users.get(uid) ?? ''));
  }

  /** Does it hold a socket on port 53, which takes a privilege to bind? */
  #holds(pid: number): boolean {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => this.#sockets.has(link(`/proc/${pid}/fd/${fd}`)));
    } catch {
      return false;
    }
  }
}

const reasonOf = (unit: string): string => (/^(?:systemd-networkd|Net)/.test(unit) ? ADDRESSES : NAMES);

/** A container may well have an sshd of its own, which is nobody's way into this host. */
const isOfHost = (pid: number): boolean => link(`/proc/${pid}/ns/pid`) === link('/proc/self/ns/pid');

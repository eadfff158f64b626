/** One agent from start to stop: opens everything in order, ticks once a second, closes in reverse. */

import { KG_EVENT_WORDS, KgEventColumns } from '../abi/generated.js';
import type { Peer } from '../control/api.js';
import { type ControlServer, startControlServer } from '../control/server.js';
import { BatchReader } from '../decode/batch.js';
import { LiveEvent } from '../decode/live-event.js';
import { auditEnforcer } from '../enforce/audit.js';
import { kernelEnforcer } from '../enforce/kernel.js';
import { ProcEnricher } from '../enrich/enricher.js';
import { type CanaryResult, runCanary } from '../kernel/canary.js';
import type { Attached } from '../kernel/links.js';
import type { Maps } from '../kernel/maps.js';
import type { Native, RingHandle } from '../kernel/native.js';
import type { Scope } from '../kernel/prerequisites.js';
import { openSensor, removePins, type Sensor } from '../kernel/sensor.js';
import type { Clock } from '../lib/clock.js';
import type { Paths } from '../lib/paths.js';
import { startTickOf } from '../lib/proc.js';
import type { Level, Mode } from '../model/decision.js';
import { KerngateError } from '../model/error.js';
import { Pipeline } from '../pipeline.js';
import { countsLine } from '../report/lines.js';
import { AgentApi } from './api.js';
import { hostClock } from './clock.js';
import type { Config } from './config.js';
import { Host } from './host.js';
import { KernelSync } from './kernel-sync.js';
import { installLaunchers, seedLineages } from './lineage.js';
import { Modes } from './modes.js';
import { PolicyStore } from './policies.js';
import { protectHost } from './protected.js';
import { Reporter } from './reporter.js';
import { openState, type State } from './state.js';
import { Upkeep } from './upkeep.js';

export interface AgentOptions {
  readonly native: Native;
  readonly paths: Paths;
  readonly config: Config;
  readonly scope: Scope;
  readonly mode: Mode;
  readonly level: Level;
  readonly say: (line: string) => void;
}

/** Records handed over per call; a batch of them is 0.7 MiB of columns. */
const CAPACITY = 4096;
const TAIL_BYTES = CAPACITY * 512;
/** Telemetry follows its crossing by at most the kernel's wake interval; this waits for it. */
const EVIDENCE_MS = 20;

export class Agent {
  readonly native: Native;
  readonly paths: Paths;
  readonly scope: Scope;
  readonly level: Level;
  readonly say: (line: string) => void;
  readonly clock: Clock;
  readonly maps: Maps;
  readonly hooks: readonly Attached[];
  readonly host: Host;
  readonly state: State;
  readonly modes: Modes;
  readonly policies: PolicyStore;
  readonly enricher: ProcEnricher;
  readonly reader: BatchReader;
  readonly reporter: Reporter;
  readonly sync: KernelSync;
  readonly pipeline: Pipeline;
  readonly ring: RingHandle;
  readonly started: string;
  /** What is wrong now, by cause. */
  readonly troubles = new Map<string, string>();
  swept = 0;
  readonly #sensor: Sensor;
  readonly #upkeep: Upkeep;
  readonly #canaries = new Set<number>();
  #server: ControlServer | undefined;
  #evidenceTimer: NodeJS.Timeout | undefined;

  /** Loads and attaches; after it the hooks enforce what the kernel held already. Throws KerngateError. */
  constructor(options: AgentOptions) {
    const { native, paths, config, scope } = options;
    this.native = native;
    this.paths = paths;
    this.scope = scope;
    this.level = options.level;
    this.say = options.say;
    this.clock = hostClock(native);
    this.started = this.clock.wall(this.clock.bootNs());
    this.policies = new PolicyStore(paths);
    const policies = this.policies.read();
    this.policies.use(policies);
    this.#sensor = openSensor({
      native,
      pin: paths.pin,
      scope,
      source: config.telemetry.connect === 'tracepoint' ? 'tracepoint' : 'cgroup',
      sizes: sizesOf(config),
    });
    this.maps = this.#sensor.maps;
    this.hooks = this.#sensor.attached;
    this.#exemptSelf(config);
    this.host = new Host(this.maps, scope);
    this.state = openState(native, paths.state, this.clock, this.host, this.say);
    this.state.allow.configure(config.allow.map(configured));
    this.modes = new Modes(this.maps, this.state.ledger, this.clock);
    this.enricher = new ProcEnricher({ cgroupMount: scope.mount });
    const columns = new Uint32Array((KG_EVENT_WORDS + 2) * CAPACITY);
    const tail = new Uint8Array(TAIL_BYTES);
    const cursor = (words: Uint32Array, capacity: number) =>
      new LiveEvent(new KgEventColumns(words, capacity), {
        enricher: this.enricher,
        clock: this.clock,
        lost: () => this.lost,
      });
    this.reader = new BatchReader(
      { columns, capacity: CAPACITY, tail },
      cursor(columns, CAPACITY),
      this.enricher,
    );
    this.reporter = new Reporter({
      clock: this.clock,
      auditLog: paths.auditLog,
      columns,
      capacity: CAPACITY,
      cursor,
      say: this.say,
      born: (child, parent) => this.host.tree.born(child, parent),
    });
    this.sync = new KernelSync(this.maps, this.state.ledger, this.policies, this.enricher, this.level);
    this.pipeline = new Pipeline(this.#stages(), policies);
    this.host.askProtected(() => protectedProcesses(this.state));
    protectHost(this.state.guardrails);
    installLaunchers(this.maps, config.launchers);
    seedLineages(this.maps, config.launchers);
    this.#upkeep = new Upkeep(this);
    this.ring = this.#openRing(columns, tail);
  }

  /** Events lost so far. */
  get lost(): number {
    return this.maps.counters.get('EV_DROPPED');
  }

  get adopted(): boolean {
    return this.#sensor.adopted;
  }

  /** Takes up the mode, proves it, and answers requests. Throws KerngateError when it does not hold. */
  async start(wanted: Mode): Promise<{ mode: Mode; why?: string }> {
    const begun = this.modes.begin(wanted);
    this.modes.renewLease();
    this.policies.install(this.maps, this.modes.mode);
    const { adopted, ended } = this.sync.adopt(this.clock.bootNs());
    this.reporter.ended(ended, 'ended while no agent ran');
    for (const entry of adopted) this.reporter.decision(entry);
    this.pipeline.enforce();
    await this.prove();
    this.#server = await startControlServer({
      socketPath: this.paths.socket,
      api: new AgentApi(this),
      peerCred: (fd) => this.native.peerCred(fd),
      onError: (error) => this.say(`control: ${(error as Error).stack ?? error}`),
    });
    this.#upkeep.start();
    this.reporter.audit.note('start', { mode: this.modes.mode, level: this.level, scope: this.scope.path });
    return begun;
  }

  /** Switches, proves the new mode, and goes back to audit when it does not hold. */
  async switchMode(mode: Mode, confirmWithinNs?: number): Promise<void> {
    if (mode === 'audit') this.modes.audit();
    else this.modes.enforce(confirmWithinNs);
    this.policies.install(this.maps, this.modes.mode);
    this.pipeline.enforce();
    try {
      await this.prove();
    } catch (error) {
      this.modes.audit();
      this.policies.install(this.maps, 'audit');
      this.pipeline.enforce();
      throw error;
    }
  }

  /** Runs the canary against the mode in force. Throws KerngateError (degraded) when it does not behave. */
  async prove(): Promise<void> {
    const wanted = this.modes.mode === 'enforce' && !this.modes.isPanic ? 'EPERM' : 'OK';
    const hits = this.modes.isPanic ? 0 : 1;
    const canary = await this.#canary();
    if (canary.result === wanted && canary.hits === hits) {
      this.troubles.delete('canary');
      return;
    }
    const text = `the canary got ${canary.result} with ${canary.hits} hits, expected ${wanted} with ${hits}: ${this.modes.mode} mode does not hold at level ${this.level}`;
    this.troubles.set('canary', text);
    throw new KerngateError(text, {
      exit: 'degraded',
      remedy: 'See what this kernel offers with: kerngate doctor',
    });
  }

  /** Reads the policies anew. Throws KerngateError (invalid); then nothing has changed. */
  reload(): void {
    const policies = this.policies.read();
    this.policies.use(policies);
    this.policies.install(this.maps, this.modes.mode);
    this.pipeline.engine.reload(policies);
    const retired = this.state.ledger.retireRules(new Set(policies.map(({ hash }) => hash)));
    this.sync.clear(new Set(retired.map(({ id }) => id)));
    this.reporter.ended(retired, 'its policy is gone or changed');
    this.pipeline.enforce();
    this.reporter.audit.note('reload', { policies: policies.map(({ name }) => name) });
  }

  /** Opens everything at once; answers how many decisions were lifted. */
  panic(peer?: Peer): number {
    const lifted = this.modes.panic();
    this.sync.clear(new Set(lifted.map(({ id }) => id)));
    this.policies.install(this.maps, 'audit');
    this.pipeline.enforce();
    this.reporter.audit.panic(lifted.length, peer);
    this.say(`panic: ${lifted.length} blocks lifted; nothing is denied until kerngate mode enforce`);
    return lifted.length;
  }

  controlCounters(): Record<string, number> {
    return this.#server?.counters() ?? {};
  }

  /** What the minute's line tells. */
  countsLine(): string {
    const { counters } = this.maps;
    return countsLine({
      events: this.reporter.rate.total,
      perSecond: this.reporter.rate.perSecond(this.clock.bootNs()),
      findings: this.reporter.findings.total,
      denied: counters.get('DENIED'),
      wouldDeny: counters.get('AUDITED'),
      blocks: this.state.ledger.list().length,
      lost: this.lost,
    });
  }

  /** Blocks stay in force until they expire, unless `release` takes everything away. */
  async stop(release: boolean): Promise<void> {
    this.#upkeep.stop();
    clearTimeout(this.#evidenceTimer);
    await this.#server?.close();
    this.native.ringDrain(this.ring);
    this.pipeline.completeFindings();
    if (release) {
      const lifted = this.state.ledger.unblock({ all: true });
      this.reporter.ended(lifted, 'released at exit');
    }
    this.reporter.audit.note('stop', { release });
    this.native.ringClose(this.ring);
    this.#sensor.close();
    if (release) removePins(this.paths.pin);
    this.reporter.close();
  }

  #stages(): ConstructorParameters<typeof Pipeline>[0] {
    return {
      clock: this.clock,
      reader: this.reader,
      ledger: this.state.ledger,
      guardrails: this.state.guardrails,
      enforcers: [kernelEnforcer(this.maps, this.host), auditEnforcer(this.maps, this.host)],
      report: this.reporter,
      level: this.level,
      mode: () => this.modes.mode,
      release: (decisions) => this.sync.clear(decisions),
      isOwn: (event) => this.#canaries.has(event.pid),
      lost: () => this.lost,
    };
  }

  /** Before anything else: the hooks must not see their own agent. */
  #exemptSelf(config: Config): void {
    const { control } = this.maps;
    control.set('AGENT', process.pid);
    control.set('AGENT_TICK', startTickOf(process.pid) ?? 0);
    control.set('QUOTA_CG', Math.max(1, Math.floor(config.limits.windows / 4)));
    control.set('QUOTA_UID', Math.max(1, Math.floor(config.limits.windows / 2)));
  }

  #openRing(columns: Uint32Array, tail: Uint8Array): RingHandle {
    const { crossings, events } = this.#sensor.ringFds();
    const options = { words: KG_EVENT_WORDS, capacity: CAPACITY, columns, tail, intervalMs: 1, idleTicks: 3 };
    const ring = this.native.ringOpen([crossings, events], options, (count) => this.#onBatch(count));
    this.native.closeFd(crossings);
    this.native.closeFd(events);
    return ring;
  }

  #onBatch(count: number): void {
    this.reporter.rate.add(count, this.clock.bootNs());
    this.pipeline.batch(count);
    if (this.pipeline.hasPending && this.#evidenceTimer === undefined) {
      this.#evidenceTimer = setTimeout(() => {
        this.#evidenceTimer = undefined;
        this.pipeline.completeFindings();
      }, EVIDENCE_MS);
    }
  }

  async #canary(): Promise<CanaryResult> {
    let pid = 0;
    const told = (child: number): void => {
      pid = child;
      this.#canaries.add(child);
    };
    try {
      return await runCanary(this.maps, this.scope.path, this.clock.bootNs(), told);
    } finally {
      /* its last records may still be on their way */
      setTimeout(() => this.#canaries.delete(pid), 5_000).unref();
    }
  }
}

const sizesOf = ({ limits: { windows, events, crossings } }: Config): Record<string, number> => ({
  kg_windows: windows,
  ...(events !== undefined && { kg_events: events }),
  ...(crossings !== undefined && { kg_crossings: crossings }),
});

const configured = ({ subject, reason }: { subject: string; reason: string }) => {
  const colon = subject.indexOf(':');
  const id = subject.slice(colon + 1);
  return { subject: { kind: subject.slice(0, colon) as never, id, name: id }, reason };
};

const protectedProcesses = ({ guardrails }: State): { pid: number; startTick: number }[] =>
  guardrails.protected().flatMap(({ entry: { subject } }) => {
    const [pid, startTick] = subject.kind === 'process' ? subject.id.split('@').map(Number) : [];
    return pid === undefined || startTick === undefined ? [] : [{ pid, startTick }];
  });

/** One agent from start to stop: opens everything in order, ticks once a second, closes in reverse. */

import { type ControlServer, startControlServer } from '../control/server.js';
import type { BatchReader } from '../decode/batch.js';
import { thawAll } from '../enforce/freeze.js';
import { ProcEnricher } from '../enrich/enricher.js';
import type { Attached } from '../kernel/links.js';
import type { Maps } from '../kernel/maps.js';
import type { Native, RingHandle } from '../kernel/native.js';
import type { Scope } from '../kernel/prerequisites.js';
import { openSensor, removePins, type Sensor } from '../kernel/sensor.js';
import { sweepWindows } from '../kernel/sweep.js';
import type { Clock } from '../lib/clock.js';
import type { Paths } from '../lib/paths.js';
import type { Level, Mode } from '../model/decision.js';
import { Pipeline } from '../pipeline.js';
import { AgentApi } from './api.js';
import { hostClock } from './clock.js';
import type { Config } from './config.js';
import { Drift } from './drift.js';
import { Host } from './host.js';
import { Intake } from './intake.js';
import { KernelSync } from './kernel-sync.js';
import { Ladder } from './ladder.js';
import { seedLineages } from './lineage.js';
import { ModeSwitch } from './mode-switch.js';
import { type Begun, Modes } from './modes.js';
import { PolicyStore } from './policies.js';
import { Proof } from './proof.js';
import { protectHost, protectStarted } from './protected.js';
import { Reporter } from './reporter.js';
import { allowedBy, breakerBy, installFiles, introduce, sizesOf } from './settings.js';
import { Severer } from './severer.js';
import { Shielding } from './shielding.js';
import { stagesOf } from './stages.js';
import { openState, type State } from './state.js';
import { Upkeep } from './upkeep.js';
import type { Voice } from './voice.js';

export interface AgentOptions {
  readonly native: Native;
  readonly paths: Paths;
  readonly config: Config;
  readonly scope: Scope;
  readonly level: Level | 'auto';
  readonly voice: Voice;
}

export class Agent {
  readonly native: Native;
  readonly paths: Paths;
  readonly scope: Scope;
  readonly voice: Voice;
  readonly clock: Clock;
  readonly maps: Maps;
  readonly host: Host;
  readonly state: State;
  readonly modes: Modes;
  readonly modeSwitch = new ModeSwitch(this);
  readonly drift = new Drift(this);
  readonly policies: PolicyStore;
  readonly enricher: ProcEnricher;
  readonly reader: BatchReader;
  readonly reporter: Reporter;
  readonly sync: KernelSync;
  readonly pipeline: Pipeline;
  readonly ring: RingHandle;
  readonly started: string;
  readonly config: Config;
  /** What is wrong now, by cause. */
  readonly troubles = new Map<string, string>();
  swept = 0;
  readonly sensor: Sensor;
  readonly #upkeep: Upkeep;
  readonly #intake: Intake;
  readonly proof = new Proof(this);
  readonly severer = new Severer(this);
  readonly ladder: Ladder;
  readonly shielding = new Shielding(this);
  #server: ControlServer | undefined;

  /** Loads and attaches; after it the hooks enforce what the kernel held already. Throws KerngateError. */
  constructor(options: AgentOptions) {
    const { native, paths, config, scope } = options;
    this.native = native;
    this.paths = paths;
    this.scope = scope;
    this.ladder = new Ladder(this, options.level);
    this.voice = options.voice;
    this.config = config;
    this.clock = hostClock(native);
    this.started = this.clock.wall(this.clock.bootNs());
    this.policies = new PolicyStore(paths);
    const policies = this.policies.read();
    this.policies.use(policies);
    this.sensor = openSensor({
      native,
      pin: paths.pin,
      scope,
      source: config.telemetry.connect === 'auto' ? 'cgroup' : config.telemetry.connect,
      sizes: sizesOf(config),
    });
    this.maps = this.sensor.maps;
    introduce(this.maps.control, config);
    this.host = new Host(this.maps, scope);
    this.state = openState(native, paths.state, this.clock, this.host, breakerBy(config), this.say);
    this.state.allow.configure(allowedBy(config, scope));
    this.modes = new Modes(this.maps, this.state.ledger, this.clock);
    this.enricher = new ProcEnricher({ cgroupMount: scope.mount });
    this.#intake = new Intake({ enricher: this.enricher, clock: this.clock, lost: () => this.lost });
    this.reader = this.#intake.reader;
    this.reporter = new Reporter({
      clock: this.clock,
      auditLog: paths.auditLog,
      rows: this.#intake.rows,
      cursor: this.#intake.cursor,
      say: this.say,
      decided: () => this.severer.wake(),
      born: (child, parent) => this.host.tree.born(child, parent),
      started: (exe) => protectStarted(this, exe),
    });
    this.sync = new KernelSync(this.maps, this.state.ledger, this.policies, this.enricher, () => this.level);
    this.pipeline = new Pipeline(stagesOf(this), policies);
    protectHost(this.host, this.state.guardrails);
    installFiles(this.maps, config);
    seedLineages(this.maps, config.launchers);
    this.#upkeep = new Upkeep(this);
    this.ring = this.#intake.open(native, this.sensor, this.pipeline, (count) =>
      this.reporter.rate.add(count, this.clock.bootNs()),
    );
  }

  get say(): (line: string) => void {
    return this.voice.say;
  }

  /** Events lost so far. */
  get lost(): number {
    return this.maps.counters.get('EV_DROPPED');
  }

  get level(): Level {
    return this.ladder.level;
  }

  get hooks(): readonly Attached[] {
    return [...this.sensor.attached, ...this.ladder.guard];
  }

  get adopted(): boolean {
    return this.sensor.adopted;
  }

  /** Takes up the mode, proves it, and answers requests. Throws KerngateError when it does not hold. */
  async start(wanted: Mode): Promise<Begun> {
    const before = this.modes.mode;
    const begun = this.modes.begin(wanted);
    this.modes.renewLease();
    this.policies.install(this.maps, this.modes.mode);
    this.adopt('ended while no agent ran');
    this.pipeline.enforce();
    await this.prove().catch((error: unknown) => {
      /* what an earlier agent enforced goes on; enforcement that begins here and does not hold, does not */
      if (before === 'audit') this.modes.audit();
      throw error;
    });
    this.#server = await startControlServer({
      socketPath: this.paths.socket,
      api: new AgentApi(this),
      peerCred: (fd) => this.native.peerCred(fd),
      onError: (error) => this.say(`control: ${(error as Error).stack ?? error}`),
    });
    this.#upkeep.start();
    this.severer.begin();
    this.reporter.audit.note('start', { mode: this.modes.mode, level: this.level, scope: this.scope.path });
    return begun.why === undefined && this.modes.isTripped ? { mode: 'audit', why: 'tripped' } : begun;
  }

  /** Takes up what the hooks decided by themselves, and lets go of what they ended. `why`: for those. */
  adopt(why: string): void {
    const { adopted, ended, trip } = this.sync.adopt(this.clock.bootNs());
    this.reporter.ended(ended, why);
    for (const entry of adopted) this.reporter.decision(entry);
    if (trip) this.modeSwitch.trip(trip);
  }

  /** Raises the level where that is still to be done, and proves the mode. Throws KerngateError (degraded). */
  async prove(): Promise<void> {
    await this.ladder.climb();
    await this.proof.run();
    this.shielding.renew();
  }

  /** Reads the policies anew. Throws KerngateError (invalid); then nothing has changed. */
  reload(): void {
    const policies = this.policies.read();
    this.policies.replace(policies, this.maps, this.modes.mode);
    this.pipeline.engine.reload(policies);
    const retired = this.state.ledger.retireRules(new Set(policies.map(({ hash }) => hash)));
    this.sync.clear(new Set(retired.map(({ id }) => id)));
    this.reporter.ended(retired, 'its policy is gone or changed');
    /* what the ledger has not heard of yet goes too: a rule that comes back must find an empty window */
    this.adopt('its policy is gone or changed');
    this.swept += sweepWindows(
      this.maps,
      this.policies.rules,
      this.clock.bootNs(),
      false,
      () => true,
    ).windows;
    this.pipeline.enforce();
    this.reporter.audit.note('reload', { policies: policies.map(({ name }) => name) });
  }

  controlCounters(): Record<string, number> {
    return this.#server?.counters() ?? {};
  }

  /** Blocks stay in force until they expire, unless `release` takes everything away. */
  async stop(release: boolean): Promise<void> {
    this.#upkeep.stop();
    this.shielding.lower();
    this.#intake.stop();
    await this.#server?.close();
    await this.severer.stop();
    this.native.ringDrain(this.ring);
    this.pipeline.completeFindings();
    if (release) {
      const lifted = this.state.ledger.unblock({ all: true });
      this.reporter.ended(lifted, 'released at exit');
      thawAll(this.paths.state).forEach(this.say);
    }
    this.reporter.audit.note('stop', { release });
    this.native.ringClose(this.ring);
    this.ladder.close();
    this.sensor.close();
    if (release) removePins(this.paths.pin);
    this.reporter.close();
  }
}

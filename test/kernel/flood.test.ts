/** More events than anybody can read: what is lost is counted to the last one, what was decided is not lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import type { Finding } from '../../src/model/finding.js';
import { countersOf } from './acting.js';
import { compiled } from './fixtures/compile.js';
import { withMaps } from './life.js';
import { SLOW } from './pace.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

/** The first connect to port 1 crosses; the flood goes elsewhere. */
const POLICY = burst({ limit: 0, extra: 'match: {dst.port: 1}\n' });
/** A small ring, so that the loss is certain. */
const CONFIG = 'limits: {events: 262144}\n';
const THREADS = 2;
const PER_THREAD = SLOW === 1 ? 500_000 : 50_000;
const ATTACKERS = 499;
const MIB = 1024 * 1024;

const flood = (stand: Stand): Running =>
  stand.spawn(compiled('flood'), [stand.cgroup, String(THREADS), String(PER_THREAD)]);

const rssOf = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

/** As the kernel has it; a busy agent is not asked. */
const lostIn = (stand: Stand): number => withMaps(stand, (maps) => maps.counters.get('EV_DROPPED'));

/** The counters once all that was sent has been read or counted as lost; they are then consistent. */
const settled = async (stand: Stand): Promise<Record<string, number>> => {
  let counters: Record<string, number> = {};
  await until('each event is seen or counted', async () => {
    counters = await countersOf(stand).catch(() => ({}));
    if (counters.ev_sent === undefined) return false;
    const { ev_sent = 0, vd_sent = 0, ev_dropped = 0, vd_dropped = 0, events_seen = 0 } = counters;
    return ev_sent + vd_sent === events_seen + ev_dropped + vd_dropped;
  });
  return counters;
};

/** Runs a flood to its end; meanwhile takes the agent's size and asks it for its state. */
const endure = async (stand: Stand): Promise<{ attempts: number; peak: number; answers: number }> => {
  const flooder = flood(stand);
  await flooder.line(/^up$/);
  let peak = 0;
  let answers = 0;
  while (!flooder.isOver) {
    // A slow guest's agent may need longer than a client waits; what it counts is exact all the same.
    const isAnswered = await countersOf(stand).then(
      () => true,
      () => false,
    );
    if (isAnswered && !flooder.isOver) answers++;
    peak = Math.max(peak, rssOf(stand.agent?.pid ?? 0));
  }
  const [, attempts] = /^attempts (\d+) /.exec(await flooder.line(/^attempts /)) ?? [];
  return { attempts: Number(attempts), peak, answers };
};

describe('a flood', () => {
  it('is counted exactly, keeps every verdict, and cannot fill the memory', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: POLICY, config: CONFIG });
      const before = await settled(stand);
      const first = endure(stand);
      await until('events are lost', () => lostIn(stand) > 0);
      expect(await stand.attack('forks', ATTACKERS)).toEqual({ passed: 0, denied: ATTACKERS, other: 0 });
      const { attempts, peak, answers } = await first;
      const counters = await settled(stand);

      const gained = (name: string): number => (counters[name] ?? 0) - (before[name] ?? 0);
      expect(attempts).toBe(THREADS * PER_THREAD);
      expect(gained('gate_hits')).toBe(attempts + ATTACKERS);
      expect(gained('ev_dropped')).toBeGreaterThan(0);
      expect(gained('crossed')).toBe(ATTACKERS);
      expect(counters.vd_dropped).toBe(0);
      expect(gained('findings')).toBe(ATTACKERS);
      expect(decisionsWritten(stand)).toBe(ATTACKERS);
      if (SLOW === 1) expect(answers).toBeGreaterThan(0);

      const findings = await stand.json<Finding[]>('findings');
      expect(findings.at(-1)?.lost).toBeGreaterThan(0);
      expect(findings.every(({ lost }) => lost <= (counters.ev_dropped ?? 0))).toBe(true);

      const second = await endure(stand);
      expect(second.attempts).toBe(attempts);
      await settled(stand);
      expect(Math.max(peak, second.peak)).toBeLessThan(400 * MIB);
      expect(second.peak).toBeLessThan(peak + 64 * MIB);
    }));

  it('of crossings that nobody reads ends in the kernel, and all of it is in the list afterwards', () =>
    withStand(async (stand) => {
      const crowd = 601;
      await stand.start({ mode: 'enforce', policy: POLICY, config: 'limits: {crossings: 65536}\n' });
      stand.agent?.child.kill('SIGSTOP');
      const attackers = stand.connector('crowd', crowd);
      await attackers.line(/^up$/);
      stand.agent?.child.kill('SIGCONT');
      const decisions = await stand.json<Decision[]>('blocks');
      const { vd_dropped, crossed } = await settled(stand);
      expect(vd_dropped).toBeGreaterThan(0);
      expect(crossed).toBe(crowd);
      expect(decisions).toHaveLength(crowd);
      expect(new Set(decisions.map(({ subject }) => subject.id)).size).toBe(crowd);
      for (const decision of decisions) {
        expect(decision).toMatchObject({ mode: 'enforce', enforced_by: 'kernel', policy: 'burst', hits: 1 });
      }
      expect(await attackers.finish()).toEqual({ passed: 0, denied: crowd, other: 0 });
    }));
});

/** Decisions the audit log tells of, each once. */
const decisionsWritten = (stand: Stand): number => {
  const lines = readFileSync(join(stand.state, 'audit.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { event: string; decision: Decision });
  return new Set(records.flatMap(({ event, decision }) => (event === 'decision' ? decision.id : []))).size;
};

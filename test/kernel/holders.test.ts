/** Sockets that are older than the agent: whose they are is found out, and a block that reaches them stops them. */
import { release } from 'node:os';
import { describe, expect, it } from 'vitest';
import { decodeKgMaker, KG_MAKER_SIZE, type KgMaker } from '../../src/abi/generated.js';
import type { Status } from '../../src/control/api.js';
import { closeMaps, pinnedMaps } from '../../src/kernel/maps.js';
import { native } from '../../src/kernel/native.js';
import { cgroupIdOf } from '../../src/lib/cgroup-tree.js';
import { startTickOf } from '../../src/lib/proc.js';
import type { Decision } from '../../src/model/decision.js';
import { countersOf, QUIET } from './acting.js';
import { type Stand, until, withStand } from './stand.js';
import { type Talker, talk } from './talker.js';

/* the guards of the upper levels ask who calls: what is looked at here is the packets' side */
const AT_CGROUP = { mode: 'enforce', policy: QUIET, args: ['--level', 'cgroup'] } as const;

const talkerIn = (stand: Stand, cgroup = '-'): Promise<Talker> =>
  talk(cgroup, { spawner: (command, args) => stand.spawn(command, args) });

/** A connection between two: index of it in each. */
const connect = async (from: Talker, to: Talker): Promise<[number, number]> => {
  const [listener, port] = await to.say('listen');
  const [client] = await from.say(`connect ${port}`);
  const [accepted] = await to.say(`accept ${listener}`);
  return [Number(client), Number(accepted)];
};

/** What the kernel holds of a talker's socket. */
const markOf = async (stand: Stand, who: Talker, index: number | string): Promise<KgMaker | undefined> => {
  const [fd] = (await who.say(`descriptor ${index}`)).map(Number);
  const maps = pinnedMaps(native(), stand.pin);
  try {
    const value = new Uint8Array(KG_MAKER_SIZE);
    const found = native().sockMarkOf(maps.makers.fd, who.pid, fd ?? -1, value);
    return found === null ? undefined : decodeKgMaker(new DataView(value.buffer));
  } finally {
    closeMaps(maps);
  }
};
const heldBy = async (stand: Stand, who: Talker, index: number | string): Promise<number | undefined> =>
  (await markOf(stand, who, index))?.held.tgid;

const block = async (stand: Stand, ...words: string[]): Promise<Decision> => {
  const { code, stdout, stderr } = await stand.cli('-o', 'json', 'block', ...words, '--deny', 'all');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Decision;
};

/** Sends a byte; answers once a packet of `decision` was refused, with what has come to `to` by then. */
const refused = async (
  stand: Stand,
  { id }: Decision,
  [from, out]: [Talker, number],
  [to, into]: [Talker, number],
): Promise<string | undefined> => {
  const hits = async () =>
    (await stand.json<Decision[]>('blocks')).find((decision) => decision.id === id)?.hits ?? 0;
  const before = await hits();
  expect(await from.say(`send ${out}`)).toEqual(['sent', '1']);
  await until('a packet is refused', async () => (await hits()) > before);
  return (await to.say(`pending ${into}`))[1];
};

const flows = async ([from, out]: [Talker, number], [to, into]: [Talker, number]): Promise<void> => {
  expect(await from.say(`send ${out}`)).toEqual(['sent', '1']);
  expect((await to.say(`recv ${into}`))[0]).toBe('got');
};

describe('a connection that is older than the agent', () => {
  it('stops with the block of its process, that of a sibling goes on, and both do afterwards', () =>
    withStand(async (stand) => {
      const subject = await talkerIn(stand, stand.cgroup);
      const sibling = await talkerIn(stand, stand.cgroup);
      const peer = await talkerIn(stand);
      const [own, far] = await connect(subject, peer);
      const [others, away] = await connect(sibling, peer);
      await stand.start(AT_CGROUP);
      const decision = await block(stand, '--pid', String(subject.pid));
      expect(await refused(stand, decision, [subject, own], [peer, far])).toBe('0');
      await flows([sibling, others], [peer, away]);
      await flows([peer, away], [sibling, others]);
      expect((await stand.cli('unblock', decision.id)).code).toBe(0);
      expect(await peer.say(`recv ${far}`)).toEqual(['got', '1']);
      await flows([peer, far], [subject, own]);
    }));

  it('stops as well when it comes by a listener that is', () =>
    withStand(async (stand) => {
      const subject = await talkerIn(stand, stand.cgroup);
      const peer = await talkerIn(stand);
      const [listener, port] = await subject.say('listen');
      await stand.start(AT_CGROUP);
      await until(
        'the listener is known',
        async () => (await heldBy(stand, subject, listener ?? '')) === subject.pid,
      );
      const [client] = (await peer.say(`connect ${port}`)).map(Number);
      const decision = await block(stand, '--pid', String(subject.pid));
      const [accepted] = (await subject.say(`accept ${listener}`)).map(Number);
      const ends = [subject, accepted ?? -1] as [Talker, number];
      expect(await heldBy(stand, ...ends)).toBe(subject.pid);
      expect(await refused(stand, decision, ends, [peer, client ?? -1])).toBe('0');
      await stand.cli('unblock', '--all');
      expect(await peer.say(`recv ${client}`)).toEqual(['got', '1']);
    }));

  it('goes on when others hold it too, and stops with the one they have it from', () =>
    withStand(async (stand) => {
      const parent = await talkerIn(stand, stand.cgroup);
      const peer = await talkerIn(stand);
      const [own, far] = await connect(parent, peer);
      const [, child] = await parent.say('fork');
      await stand.start(AT_CGROUP);
      await block(stand, '--pid', String(child));
      await flows([parent, own], [peer, far]);
      expect(await heldBy(stand, parent, own)).toBe(parent.pid);
      const decision = await block(stand, '--pid', String(parent.pid));
      expect(await refused(stand, decision, [parent, own], [peer, far])).toBe('0');
    }));
});

describe('who holds a socket', () => {
  it('is written down as a hook would, and not where strangers share it', () =>
    withStand(async (stand) => {
      const one = await talkerIn(stand, stand.cgroup);
      const two = await talkerIn(stand, stand.cgroup);
      const peer = await talkerIn(stand);
      const [alone] = await connect(one, peer);
      const [shared, far] = await connect(one, peer);
      const [fd] = await one.say(`descriptor ${shared}`);
      await two.say(`take ${one.pid} ${fd}`);
      const [datagrams] = await one.say('udp 6');
      await stand.start(AT_CGROUP);
      await until('it is known', async () => (await heldBy(stand, one, alone)) === one.pid);
      const { held, made } = (await markOf(stand, one, datagrams ?? '')) ?? {};
      expect(made?.tgid).toBe(0);
      expect(held).toMatchObject({
        tgid: one.pid,
        tick: BigInt(startTickOf(one.pid) ?? 0),
        uid: 0,
        session: 0xffffffff,
        cgroup: BigInt(cgroupIdOf(stand.cgroup, '/') ?? 0),
      });
      expect(held?.lineage_tgid).toBeGreaterThan(0);
      expect(await markOf(stand, one, shared)).toBeUndefined();
      const [late] = await one.say('udp');
      expect(await heldBy(stand, one, late ?? '')).toBe(0);
      await block(stand, '--pid', String(one.pid));
      expect(await markOf(stand, one, shared)).toBeUndefined();
      await flows([two, 0], [peer, far]);
      expect(await heldBy(stand, one, late ?? '')).toBe(one.pid);
      expect(await countersOf(stand)).toMatchObject({ held_failed: 0 });
    }));

  it('counts for what it was handed by a maker that is gone, and for the cgroup it is in', () =>
    withStand(async (stand) => {
      await stand.start(AT_CGROUP);
      const inner = stand.makeCgroup('inner');
      const maker = await talkerIn(stand, stand.cgroup);
      const peer = await talkerIn(stand);
      const [own, far] = await connect(maker, peer);
      const [fd] = await maker.say(`descriptor ${own}`);
      const heir = await talkerIn(stand, inner);
      await heir.say(`take ${maker.pid} ${fd}`);
      const first = await block(stand, '--cgroup', inner);
      await flows([heir, 0], [peer, far]);
      await stand.cli('unblock', first.id);
      await maker.running.kill('SIGKILL');
      const decision = await block(stand, '--cgroup', inner);
      expect(await refused(stand, decision, [heir, 0], [peer, far])).toBe('0');
    }));

  it('is said to be unknown where the agent may not take descriptors', () =>
    withStand(async (stand) => {
      const subject = await talkerIn(stand, stand.cgroup);
      await connect(subject, await talkerIn(stand));
      await stand.start({
        ...AT_CGROUP,
        under: ['capsh', '--drop=cap_sys_ptrace', '--', '-c', 'exec "$0" "$@"'],
      });
      const words = ['-o', 'json', 'block', '--pid', String(subject.pid), '--deny', 'all'];
      const { code, stdout } = await stand.cli(...words);
      const why = /the kernel hides what \d+ process(es)? hold \(CAP_SYS_PTRACE is missing\)/;
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({
        code: 6,
        degraded: expect.stringMatching(why),
      });
      const { notes, degraded } = await stand.json<Status>('status');
      expect((notes ?? []).filter((note) => why.test(note))).toHaveLength(1);
      expect(degraded.filter((reason) => why.test(reason))).toHaveLength(1);
    }));
});

it('of MPTCP, whose flows the kernel makes, stop as well, whoever began them', () =>
  withStand(async (stand) => {
    await stand.start(AT_CGROUP);
    const subject = await talkerIn(stand, stand.cgroup);
    const peer = await talkerIn(stand);
    const [listener, port] = await peer.say('listen 4 0 mptcp');
    if (port === undefined) {
      /* Debian's 5.10 is built without MPTCP */
      expect([listener, release().startsWith('5.10.')]).toEqual(['EPROTONOSUPPORT', true]);
      return;
    }
    const out = [Number((await subject.say(`connect ${port} 4 mptcp`))[0]), 0];
    out[1] = Number((await peer.say(`accept ${listener}`))[0]);
    const [own, there] = await subject.say('listen 4 0 mptcp');
    const into = [0, Number((await peer.say(`connect ${there} 4 mptcp`))[0])];
    into[0] = Number((await subject.say(`accept ${own}`))[0]);
    for (const [mine = 0, far = 0] of [out, into]) await flows([subject, mine], [peer, far]);
    const decision = await block(stand, '--pid', String(subject.pid));
    for (const [mine = 0, far = 0] of [out, into])
      expect(await refused(stand, decision, [subject, mine], [peer, far])).toBe('0');
  }));

/** Lock-out drills: policies and orders that would cut off the way in, the names, or the operator. None succeeds. */

import { createSocket } from 'node:dgram';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setEntries } from '../../src/kernel/entries.js';
import { cgroup2Mount } from '../../src/lib/cgroup-tree.js';
import type { AllowEntry, Decision } from '../../src/model/decision.js';
import { compiled } from './fixtures/compile.js';
import { audited, blocks, expectStep, withMaps } from './life.js';
import { IS_GUEST } from './pace.js';
import { Player } from './player.js';
import { burst, type Running, type Stand, until, withStand } from './stand.js';

/** The fixture under the name of a program the host needs, as root runs it. */
const program = (stand: Stand, name: string, of = compiled('player')): string => {
  mkdirSync(join(stand.dir, 'sbin'), { recursive: true });
  const path = join(stand.dir, 'sbin', name);
  copyFileSync(of, path);
  return path;
};

const HOLDER = `
const { appendFileSync } = require('node:fs');
appendFileSync(process.argv[1] + '/cgroup.procs', String(process.pid));
const socket = require('node:dgram').createSocket('udp4').bind(53, '127.53.53.53', () => console.log('up'));
require('node:readline').createInterface({ input: process.stdin }).on('line', () => {
  const end = (error) => console.log(error && error.code === 'EPERM' ? 'denied' : 'passed');
  const other = require('node:dgram').createSocket('udp4');
  other.connect(9, '127.0.0.1', (error) => { other.close(); end(error); });
}).on('close', () => process.exit());
`;

/** A name server by what it does: it holds port 53 under a name nobody knows. */
const nameServer = async (stand: Stand, cgroup: string): Promise<Running> => {
  const running = stand.spawn(process.execPath, ['-e', HOLDER, cgroup]);
  await running.line(/^up$/);
  return running;
};

const isSpared = async (stand: Stand, pid: number): Promise<boolean> =>
  (await stand.cli('allow', 'check', `pid:${pid}`)).code === 0;

/** The hooks let it pass whatever is blocked. */
const isKnown = (stand: Stand, pid: number): boolean =>
  withMaps(stand, (maps) =>
    setEntries(maps, 0).some(
      ({ verdict, subject }) => verdict === 'allow' && subject.id.startsWith(`${pid}@`),
    ),
  );

const refused = async (stand: Stand, reason: RegExp, ...words: string[]): Promise<void> => {
  const { code, stderr } = await stand.cli('block', ...words);
  expect({ words, code, stderr }).toEqual({ words, code: 1, stderr: expect.stringMatching(reason) });
};

/** What every drill has: the way in, two name servers, and somebody who is nobody. */
const cast = async (stand: Stand) => {
  const places = ['ssh', 'dns', 'web'].map((name) => stand.makeCgroup(`${name}.service`));
  const [ssh = '', dns = '', web = ''] = places;
  const sshd = await Player.start(stand, { cgroup: ssh });
  await sshd.tell(`exec ${program(stand, 'sshd')}`);
  const dnsmasq = await Player.start(stand, { cgroup: dns, program: program(stand, 'dnsmasq') });
  const holder = await nameServer(stand, dns);
  for (const { pid } of [sshd, dnsmasq, holder]) {
    await until(`pid ${pid} is spared`, () => isSpared(stand, pid));
  }
  await until('the kernel knows', () => [sshd, dnsmasq, holder].every(({ pid }) => isKnown(stand, pid)));
  return { sshd, dnsmasq, holder, ssh, dns, web };
};

/** They reach the network, as often as they like. */
const expectAlive = async ({ sshd, dnsmasq, holder }: Awaited<ReturnType<typeof cast>>): Promise<void> => {
  expect(await sshd.row(4)).toBe('++++');
  expect(await dnsmasq.row(4)).toBe('++++');
  for (let n = 0; n < 4; n++) await expectStep(holder, 'passed');
};

describe('a policy that denies every connect', () => {
  it.each([
    ['process', 'process'],
    ['lineage', 'lineage'],
    ['cgroup', 'cgroup'],
    ['cgroup', 'unit'],
    ['unit', 'unit'],
    ['user', 'cgroup'],
    ['exe', 'process'],
    ['process', 'cgroup'],
  ] as const)('by %s, with %s blocked, cuts neither sshd nor a name server off', (by, block) =>
    withStand(async (stand) => {
      const policy = burst({ limit: by === 'unit' ? 1 : 0, by, block, on: '[connect, send]' });
      await stand.start({ mode: 'enforce', policy });
      const all = await cast(stand);
      await expectAlive(all);
      const nobody = await Player.start(stand, { cgroup: all.web });
      await until('nobody is denied', async () => (await nobody.row(1)) === '-');
      /* one of their own cgroup that is no such program is blocked; they are not */
      const neighbour = await Player.start(stand, { cgroup: all.ssh });
      await until('its neighbour is denied', async () => (await neighbour.row(1)) === '-');
      await expectAlive(all);
    }),
  );

  it('refuses to block one that was not known yet, and says why', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst({ limit: 0 }) });
      const sshd = await Player.start(stand, { program: program(stand, 'sshd') });
      await sshd.row(1); /* before the agent has looked: the hook may refuse this one */
      await until('it passes', async () => (await sshd.row(3)) === '+++');
      expect(await blocks(stand)).toEqual([]);
      const reasons = audited(stand, 'refused').map(({ reason }) => reason);
      for (const reason of reasons) expect(reason).toMatch(/protected: sshd, the way into this host/);
    }));
});

describe('an order of the operator', () => {
  it('is refused for sshd, name servers, init, the agent and the root cgroup, each with its reason', () =>
    withStand(async (stand) => {
      const agent = await stand.start({ mode: 'enforce', policy: burst() });
      const { sshd, dnsmasq, holder } = await cast(stand);
      await refused(stand, /protected: sshd, the way into this host/, '--pid', String(sshd.pid));
      await refused(stand, /sshd, the way into this host/, '--pid', String(sshd.pid), '--lineage');
      await refused(stand, /protected: it resolves names/, '--pid', String(dnsmasq.pid));
      await refused(stand, /protected: it resolves names/, '--pid', String(holder.pid));
      await refused(stand, /protected: PID 1/, '--pid', '1');
      await refused(stand, /tree of PID 1/, '--pid', '1', '--lineage');
      await refused(stand, /protected: the agent itself/, '--pid', String(agent.pid));
      await refused(stand, /root cgroup/, '--cgroup', '/');
      await refused(stand, /root cgroup/, '--cgroup', '/../..//');
      expect(await blocks(stand)).toEqual([]);
      const reasons = (await stand.json<AllowEntry[]>('allow', 'list')).map(({ reason }) => reason);
      expect(reasons).toEqual(expect.arrayContaining([expect.stringMatching(/^sshd,/), 'PID 1']));
    }));

  it.each(['unit', 'cgroup', 'slice'])('that names their %s leaves them free, and names them', (what) =>
    withStand(async (stand) => {
      const agent = await stand.start({ mode: 'enforce', policy: burst() });
      const all = await cast(stand);
      const own = stand.makeCgroup('kerngate.service');
      writeFileSync(join(own, 'cgroup.procs'), String(agent.pid));
      const neighbour = await Player.start(stand, { cgroup: all.ssh });
      const targets = {
        unit: ['ssh', 'dns', 'kerngate'].map((name) => ['--unit', `${name}.service`]),
        cgroup: [all.ssh, all.dns, own].map((path) => ['--cgroup', path]),
        slice: [['--cgroup', stand.cgroup]],
      }[what] as string[][];
      for (const words of targets) expect((await stand.cli('block', ...words)).code).toBe(0);
      const spared = (await blocks(stand)).flatMap((decision: Decision) => decision.spared ?? []).join();
      for (const pid of [all.sshd.pid, all.dnsmasq.pid, all.holder.pid, agent.pid]) {
        expect(spared).toContain(`(pid ${pid})`);
      }
      expect(await neighbour.row(2)).toBe('--');
      await expectAlive(all);
      expect((await stand.cli('status')).code).toBe(0);
    }),
  );

  it('never reaches the shell it came from, nor the sshd above it', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst({ limit: 0, by: 'user', block: 'cgroup' }) });
      const place = stand.makeCgroup('session-7.scope');
      const sshd = stand.spawn(program(stand, 'sshd', '/bin/bash'), ['--norc']);
      const say = (line: string): void => void sshd.child.stdin?.write(`${line}\n`);
      const order = `${process.execPath} ${stand.main}`;
      say(`echo $$ > ${place}/cgroup.procs; exec 3<&0; /bin/bash --norc <&3; echo shell ended`);
      say('echo I am $$');
      const shell = Number(/^I am (\d+)$/.exec(await sshd.line(/^I am/))?.[1]);
      for (const target of [`--pid ${shell}`, `--pid ${sshd.pid}`, `--pid ${shell} --lineage`]) {
        say(`${order} block ${target}; echo asked $?`);
        await sshd.line(target.endsWith('lineage') ? /^asked 0$/ : /^asked 1$/);
      }
      for (const target of [`--cgroup ${place}`, '--unit session-7.scope']) {
        say(`${order} block ${target} >/dev/null; echo ${target.slice(2, 6)} $?`);
        await sshd.line(new RegExp(`^${target.slice(2, 6)} 0$`));
      }
      say('(: > /dev/tcp/127.0.0.1/1) 2>&1 | tail -1');
      await sshd.line(/Operation not permitted/);
      const from = sshd.lines.length;
      say(': > /dev/tcp/127.0.0.1/1');
      expect(await sshd.line(/refused|not permitted/, from)).toMatch(/Connection refused/);
      say('exit');
      await sshd.line(/^shell ended$/);
      say(': > /dev/tcp/127.0.0.1/1');
      expect(await sshd.line(/refused|not permitted/, from + 2)).toMatch(/Connection refused/);
    }));
});

describe('a name alone', () => {
  it('spares nobody: neither another user’s sshd, nor a login that was let in', () =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: burst({ limit: 0 }) });
      const path = program(stand, 'sshd');
      const stranger = await Player.start(stand, { program: path, uid: 4242 });
      expect(await stranger.row(3)).toBe('---');
      const login = stand.spawn('/bin/bash', [
        '-c',
        `echo $$ > ${stand.cgroup}/cgroup.procs; exec -a 'sshd: root@pts/0' ${path}`,
      ]);
      await login.line(/^pid/);
      expect(await isSpared(stand, login.pid)).toBe(false);
      expect((await stand.cli('block', '--pid', String(login.pid))).code).toBe(0);
    }));
});

/** The whole machine is only a guest's to try this on; a host runs all of the above. */
if (IS_GUEST) {
  describe('on a whole machine', () => {
    const root = cgroup2Mount() ?? '';
    it.each([
      ['process', 'process'],
      ['cgroup', 'cgroup'],
      ['lineage', 'lineage'],
      ['user', 'cgroup'],
    ])(
      'a policy by %s, with %s blocked, for everything leaves init, agent, sshd and the test free',
      (by, block) =>
        withStand(async (stand) => {
          const policy = burst({ limit: 0, by, block, on: '[connect, send]' });
          const agent = await stand.start({ mode: 'enforce', policy, args: ['--cgroup-root', root] });
          const sshd = await Player.start(stand, { program: program(stand, 'sshd'), cgroup: root });
          await until('sshd is spared', () => isKnown(stand, sshd.pid));
          await until('sshd passes', async () => (await sshd.row(4)) === '++++');
          const nobody = await Player.start(stand);
          await until('nobody is denied', async () => (await nobody.row(1)) === '-');
          /* in the root cgroup everything lies that nobody sorted: it is no group to block */
          const inRoot = await Player.start(stand, { cgroup: root });
          const rows: string[] = [];
          for (let n = 0; n < 8; n++) rows.push(await inRoot.row(4));
          if (by === 'cgroup') expect(rows.at(-1), rows.join(' ')).toBe('++++');
          await refused(stand, /root cgroup/, '--cgroup', '/');
          await refused(stand, /the agent itself/, '--pid', String(agent.pid));
          expect((await blocks(stand)).filter(({ subject }) => subject.id === '1')).toEqual([]);
          const socket = createSocket('udp4');
          await new Promise<void>((resolve, reject) => {
            socket.on('error', reject).connect(9, '127.0.0.1', resolve);
          });
          socket.close();
        }),
    );
  });
}

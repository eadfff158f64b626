/** No collateral: while some are blocked as far as a deny reaches, everybody else on the host goes on as before. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { callAgent, followAgent } from '../../src/control/client.js';
import type { Event } from '../../src/model/event.js';
import { countersOf, QUIET } from './acting.js';
import { type Sshd, startSshd } from './fixtures/sshd.js';
import { type Ended, installed, prepare, runIn, type Services } from './programs.js';
import { type Running, Stand, until } from './stand.js';
import { type Talker, talk } from './talker.js';

const WELL = ['sent', '1'];
const GOT = ['got', '1'];
const SERVICES = 'test/kernel/fixtures/services.mjs';
const LEAST = 20;

/** One stand for the whole file: who is blocked, and whom it must not touch. */
let stand: Stand;
/** In cgroups of their own below the scope, but the neighbour, who is in the scope's own. */
let server: Talker, client: Talker, neighbour: Talker, journal: Talker;
/** By its lineage: isolated and severed. */
let isolated: Talker;
/** By its cgroup: all is denied. */
let denied: Talker;
let services: Services;
let sshd: Sshd;
let session: Running;
let cgroup: Record<'db' | 'job' | 'web' | 'logs' | 'ssh' | 'own', string>;
/** Index of a held socket, by whom and for what. */
const held: Record<string, string> = {};
const before = new Map<string, Ended>();
const events: Event[] = [];
const leave = new AbortController();

const hold = async (name: string, talker: Talker, order: string): Promise<string> => {
  const [index = '', ...more] = await talker.say(order);
  expect({ order, index }).toEqual({ order, index: expect.stringMatching(/^\d+$/) });
  held[name] = index;
  return more[0] ?? '';
};

const socketOf = (name: string): string => join(stand.dir, name);

/** Both kinds of AF_UNIX, and TCP, from each of the three to the server; one line lies there unread. */
const acquaint = async (): Promise<void> => {
  const port = await hold('listener', server, 'listen');
  for (const [name, talker] of Object.entries({ isolated, denied, client })) {
    for (const kind of ['stream', 'dgram']) {
      await hold(`${name} ${kind}`, talker, `near ${kind} ${socketOf(kind)}`);
      expect(await talker.say(`send ${held[`${name} ${kind}`]}`)).toEqual(WELL);
    }
    await hold(`server ${name}`, server, `accept ${held.stream}`);
    await hold(`${name} tcp`, talker, `connect ${port}`);
    await hold(`server ${name} tcp`, server, `accept ${held.listener}`);
  }
};

const echo = async (shell: Running, word: string): Promise<void> => {
  shell.child.stdin?.write(`echo ${word}\n`);
  await shell.line(new RegExp(`^${word}$`));
};

const startAll = async (): Promise<void> => {
  const named = ['db', 'job', 'web', 'logs', 'ssh', 'own'].map((name) => [name, stand.makeCgroup(name)]);
  cgroup = Object.fromEntries(named);
  const at = (place: string): Promise<Talker> =>
    talk(place, { pipes: true, spawner: (command, args) => stand.spawn(command, args) });
  [server, client, neighbour] = await Promise.all([at(cgroup.db), at(cgroup.own), at(stand.cgroup)]);
  [journal, isolated, denied] = await Promise.all([at(cgroup.logs), at(cgroup.web), at(cgroup.job)]);
  for (const kind of ['stream', 'dgram']) {
    await hold(kind, server, `local ${kind} ${socketOf(kind)}`);
    await hold(`log ${kind}`, journal, `local ${kind} ${socketOf(`log-${kind}`)}`);
  }
  await hold('log programs', journal, `local dgram ${socketOf('log-programs')}`);
  const running = stand.spawn(process.execPath, [SERVICES, cgroup.db]);
  const [web, tls, names] = (await running.line(/^ports /)).split(' ').slice(1).map(Number);
  const folder = socketOf('folder');
  mkdirSync(folder);
  services = {
    web: web as number,
    tls: tls as number,
    names: names as number,
    local: socketOf('stream'),
    log: socketOf('log-programs'),
    folder,
  };
  prepare(services);
  const logs = ['stream', 'dgram', 'programs'].map((kind) => socketOf(`log-${kind}`));
  await stand.start({ mode: 'enforce', policy: QUIET, config: `locals: {logs: [${logs.join(', ')}]}\n` });
  sshd = await startSshd(stand, cgroup.ssh);
  session = sshd.session(cgroup.own);
  await echo(session, 'begun');
};

beforeAll(async () => {
  stand = new Stand();
  await startAll();
  await acquaint();
  for (const program of installed(services)) {
    const ended = await runIn(cgroup.own, program);
    expect({ program, ...ended }).toMatchObject({ code: 0 }); /* one that fails by itself shows nothing */
    before.set(program.join(' '), ended);
  }
  void followAgent<Event>(stand.socket, '/v1/events/follow', (event) => events.push(event), leave.signal);
  const lineage = ['--pid', String(isolated.pid), '--lineage', '--deny', 'isolate', '--sever'];
  for (const words of [lineage, ['--cgroup', cgroup.job, '--deny', 'all']])
    expect(await stand.cli('block', ...words)).toMatchObject({ code: 0, stderr: '' });
}, 900_000);

afterAll(async () => {
  leave.abort();
  await stand.close();
});

describe('beside a block', () => {
  it('the blocked are blocked', async () => {
    const { level } = await callAgent<Status>(stand.socket, 'GET', '/v1/status');
    for (const talker of [isolated, denied]) {
      expect(await talker.say(`connect ${services.web}`)).toEqual(['EPERM']);
      expect(await talker.say(`ask ${services.names}`)).toEqual(['EPERM']);
    }
    const [near] = await isolated.say(`near dgram ${socketOf('dgram')}`);
    if (level !== 'cgroup') expect(near).toBe('EPERM'); /* there it is the newer kernels' */
    expect(await server.say(`recv ${held['server isolated tcp']}`)).toEqual(['ECONNRESET']);
    const [over] = await isolated.say(`send ${held['isolated tcp']}`);
    expect(['EPERM', 'EPIPE', 'ECONNABORTED', 'ECONNRESET']).toContain(over);
  });

  it('their server over AF_UNIX reads what they had sent, answers, and serves others', async () => {
    for (const name of ['isolated', 'denied', 'client']) {
      expect(await server.say(`recv ${held[`server ${name}`]}`)).toEqual(GOT);
      expect(await server.say(`send ${held[`server ${name}`]}`)).toEqual(WELL);
      expect(await server.say(`answer ${held.dgram}`)).toEqual(['answered', '1']);
    }
    for (const name of ['denied stream', 'denied dgram'])
      expect(await denied.say(`recv ${held[name]}`)).toEqual(GOT);
    for (const kind of ['stream', 'dgram']) {
      expect(await client.say(`recv ${held[`client ${kind}`]}`)).toEqual(GOT);
      expect(await client.say(`send ${held[`client ${kind}`]}`)).toEqual(WELL);
      await hold(`neighbour ${kind}`, neighbour, `near ${kind} ${socketOf(kind)}`);
    }
  });

  it('TCP, new and old, works from the cgroups beside and above', async () => {
    expect(await client.say(`send ${held['client tcp']}`)).toEqual(WELL);
    expect(await server.say(`recv ${held['server client tcp']}`)).toEqual(GOT);
    const [listener, port] = await server.say('listen');
    for (const talker of [client, neighbour]) {
      const [made] = await talker.say(`connect ${port}`);
      const [accepted] = await server.say(`accept ${listener}`);
      expect(await server.say(`send ${accepted}`)).toEqual(WELL);
      expect(await talker.say(`recv ${made}`)).toEqual(GOT);
    }
  });

  it('names are resolved from the cgroups beside and above', async () => {
    for (const talker of [client, neighbour, server])
      expect((await talker.say(`ask ${services.names}`))[0]).toBe('got');
  });

  it('log lines are taken of everybody, of the isolated too', async () => {
    for (const talker of [isolated, denied, client, neighbour]) {
      expect(await talker.say(`log ${socketOf('log-dgram')}`)).toEqual(['sent', '5']);
      expect(await journal.say(`recv ${held['log dgram']}`)).toEqual(['got', '5']);
      const [stream] = await talker.say(`near stream ${socketOf('log-stream')}`);
      const [accepted] = await journal.say(`accept ${held['log stream']}`);
      expect(await talker.say(`send ${stream}`)).toEqual(WELL);
      expect(await journal.say(`recv ${accepted}`)).toEqual(GOT);
    }
  });

  it('the session of the operator goes on, and another one begins', async () => {
    await echo(session, 'alive');
    await echo(sshd.session(stand.cgroup), 'anew');
  });

  it(`${LEAST} ordinary programs and more end as without it, and none is refused anything`, async () => {
    expect(before.size).toBeGreaterThanOrEqual(LEAST);
    const counted = await countersOf(stand);
    for (const place of [cgroup.own, stand.cgroup])
      for (const program of installed(services)) {
        const name = program.join(' ');
        const ended = await runIn(place, program);
        expect({ name, ...ended }).toEqual({ name, ...before.get(name) });
        expect(ended.said).not.toMatch(/operation not permitted|EPERM/i);
      }
    const { denied, audited } = await countersOf(stand);
    expect({ denied, audited }).toEqual({ denied: counted.denied, audited: counted.audited });
  }, 1_800_000);

  it('no event with a verdict names anybody else', async () => {
    await denied.say(`connect ${services.web}`);
    const met = () => events.filter(({ verdict }) => verdict !== 'none');
    await until('the last one is told', () => met().some(({ at }) => at >= (events.at(-1)?.at ?? '')));
    const group = statSync(cgroup.job, { bigint: true }).ino.toString();
    const others = met().filter(({ pid, cgroup: { id } }) => pid !== isolated.pid && id !== group);
    expect(others).toEqual([]);
    expect(new Set(met().map(({ pid }) => pid))).toEqual(new Set([isolated.pid, denied.pid]));
  });
});

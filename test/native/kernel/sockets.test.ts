/** Real sockets in real namespaces: listed, destroyed one by one, marked; the thread of the loop stays where it is. */
import { readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { afterAll, afterEach, expect, test } from 'vitest';
import { destroySockets, HostSocket, listSockets, netnsOf, TCP, UDP } from '../../../src/kernel/sockets.js';
import { start, type Talker, talk } from '../../kernel/talker.js';
import { api, compile, makeCgroup, tempFolder, u64 } from '../fixture.js';

const ENOENT = 2;
const LISTEN = 10;
const ESTABLISHED = 1;
/** What `sockMark` answers for what it rightly leaves alone. */
const LEFT = -1;

const group = makeCgroup('sockets');
const folder = tempFolder();
const talkers: Talker[] = [];
const talker = async (netns = true): Promise<Talker> => {
  const made = await talk(group.path, { netns, spawner: start });
  talkers.push(made);
  return made;
};
afterEach(async () => {
  for (const { running } of talkers.splice(0)) await running.kill('SIGKILL');
});
afterAll(() => {
  group.drop();
  folder.drop();
});

const socketsOf = async (who: Talker): Promise<HostSocket[]> =>
  (await listSockets(api, netnsOf(who.pid))).sockets;
const inodeOf = async (who: Talker, index: number): Promise<number> =>
  Number((await who.say(`descriptor ${index}`))[1]);
const held = async (who: Talker, index: number): Promise<HostSocket> => {
  const inode = await inodeOf(who, index);
  const found = (await socketsOf(who)).find((socket) => socket.inode === inode);
  if (!found) throw new Error(`no socket has the inode ${inode}`);
  return found;
};
const destroy = (who: Talker, ...sockets: HostSocket[]) => destroySockets(api, netnsOf(who.pid), sockets);

test('lists the sockets of another namespace, and stays in its own', async () => {
  const who = await talker();
  const before = readlinkSync('/proc/thread-self/ns/net');
  const [, port] = await who.say('listen');
  await who.say(`connect ${port}`);
  await who.say('udp 6');
  const { sockets, missing } = await listSockets(api, netnsOf(who.pid));
  expect(missing).not.toContain(TCP);
  const [listener, client, datagrams] = [await held(who, 0), await held(who, 1), await held(who, 2)];
  expect(listener).toMatchObject({ protocol: TCP, state: LISTEN, sport: Number(port), dport: 0, uid: 0 });
  expect(client).toMatchObject({ protocol: TCP, state: ESTABLISHED, dport: Number(port) });
  expect(datagrams).toMatchObject({ protocol: UDP, state: 7 });
  // 5.10 tells the cgroup; what it would not tell is 0.
  expect([listener, client, datagrams].every(({ cgroup }) => cgroup === listener.cgroup)).toBe(true);
  // The accepted end that nobody has taken yet has no inode.
  expect(sockets.map(({ inode }) => inode).filter((inode) => inode === 0).length).toBeGreaterThan(0);
  expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before);
});

test('destroys one connection, and no other', async () => {
  const who = await talker();
  const [, port] = await who.say('listen');
  await who.say(`connect ${port}`);
  await who.say('accept 0');
  await who.say(`connect ${port}`);
  await who.say('accept 0');
  expect(await destroy(who, await held(who, 1))).toEqual([0]);
  expect(await who.say('recv 1')).toEqual(['ECONNABORTED']);
  expect(await who.say('recv 2')).toEqual(['ECONNRESET']);
  expect([await who.say('send 3'), await who.say('recv 4')]).toEqual([
    ['sent', '1'],
    ['got', '1'],
  ]);
});

test('says that a socket is gone, and never meets another one of its address', async () => {
  const who = await talker();
  const [, port] = await who.say('listen');
  const listener = await held(who, 0);
  const impostor = new HostSocket(Buffer.from(listener.row));
  impostor.row.writeBigUInt64LE(listener.cookie + 1n, 16);
  expect(await destroy(who, impostor)).toEqual([ENOENT]);
  expect(await who.say('accepting 0')).toEqual(['accepting', '1']);
  expect(await destroy(who, listener)).toEqual([0]);
  expect(await who.say('accepting 0')).toEqual(['accepting', '0']);
  expect(await who.say(`connect ${port}`)).toEqual(['ECONNREFUSED']);
  expect(await destroy(who, listener)).toEqual([ENOENT]);
});

test.each(['4', '6'])('finds one among those that share an address, IPv%s', async (family) => {
  const who = await talker();
  const [, port] = await who.say(`listen ${family} 0 shared`);
  for (let i = 0; i < 3; i++) await who.say(`listen ${family} ${port} shared`);
  const [, uport] = await who.say(`udp ${family} 0 shared`);
  for (let i = 0; i < 3; i++) await who.say(`udp ${family} ${uport} shared`);
  expect(await destroy(who, await held(who, 2), await held(who, 6))).toEqual([0, 0]);
  const listening = [0, 1, 2, 3].map((index) => () => who.say(`accepting ${index}`));
  const answers: string[] = [];
  for (const ask of listening) answers.push((await ask())[1] ?? '');
  expect(answers).toEqual(['1', '1', '0', '1']);
  expect(await who.say('recv 6')).toEqual(['ECONNABORTED']);
});

test('a connected datagram socket is told, and has lost its peer', async () => {
  const who = await talker();
  const [, port] = await who.say('udp');
  await who.say('udp');
  await who.say(`peer 1 ${port}`);
  expect(await destroy(who, await held(who, 1))).toEqual([0]);
  expect(await who.say('recv 1')).toEqual(['ECONNABORTED']);
  expect(await who.say('send 1')).toEqual(['EDESTADDRREQ']);
});

test('a namespace that is gone, or a path that is none, says so', async () => {
  await expect(api.sockDump('/proc/4194304/ns/net')).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(api.sockDump('/etc/passwd')).rejects.toMatchObject({ code: 'EINVAL' });
  await expect(api.sockDestroy('/etc/passwd', new Uint8Array(72))).rejects.toMatchObject({ code: 'EINVAL' });
  expect(() => api.sockDestroy('/proc/self/ns/net', new Uint8Array(71))).toThrow(/whole number of sockets/);
});

test('many at a time, while the loop goes on', async () => {
  const who = await talker();
  await who.say('listen');
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  const lists = await Promise.all(Array.from({ length: 50 }, () => socketsOf(who)));
  clearInterval(ticking);
  expect(new Set(lists.map(({ length }) => length))).toEqual(new Set([1]));
  expect(turns).toBeGreaterThan(0);
});

test("marks another process's socket, and reads it", async () => {
  const object = api.objectOpen(compile(folder.path));
  api.objectLoad(object);
  const map = api.objectMapFd(object, 'sockets');
  const who = await talker();
  await who.say('listen');
  const [fd, inode] = (await who.say('descriptor 0')).map(Number) as [number, number];
  const value = new Uint8Array(8);
  expect(api.sockMarkOf(map, who.pid, fd, value)).toBe(null);
  const mark = async (row: [number, number, number], marked: Uint8Array, at = 0, unmadeOnly = false) => {
    const rows = new Uint8Array(new Int32Array(row).buffer);
    return (await api.sockMark(map, rows, marked, at, unmadeOnly))[0];
  };
  expect(await mark([who.pid, fd, inode], u64(42))).toBe(0);
  expect(api.sockMarkOf(map, who.pid, fd, value)).toBe(inode);
  expect(value).toEqual(u64(42));
  // What stands around the part stays, and what is before it keeps off who wants it empty.
  expect(await mark([who.pid, fd, inode], new Uint8Array(3).fill(7), 4)).toBe(0);
  expect(await mark([who.pid, fd, inode], new Uint8Array(3).fill(8), 4, true)).toBe(LEFT);
  api.sockMarkOf(map, who.pid, fd, value);
  expect([...value]).toEqual([42, 0, 0, 0, 7, 7, 7, 0]);
  // Another socket by now, one of another family, no socket; gone.
  expect(await mark([who.pid, fd, inode + 1], u64(1))).toBe(LEFT);
  await who.say('unix');
  const [unix, unixInode] = (await who.say('descriptor 1')).map(Number) as [number, number];
  expect(await mark([who.pid, unix, unixInode], u64(1))).toBe(LEFT);
  expect(await mark([who.pid, 0, 1], u64(1))).toBe(LEFT);
  expect(await mark([who.pid, 999, inode], u64(1))).toBe(constants.errno.EBADF);
  expect(await mark([4_194_304, fd, inode], u64(1))).toBe(constants.errno.ESRCH);
  api.sockMarkOf(map, who.pid, fd, value);
  expect([...value]).toEqual([42, 0, 0, 0, 7, 7, 7, 0]);
  const code = (wanted: string) => expect.objectContaining({ code: wanted });
  const none = new Uint8Array(12);
  expect(() => api.sockMark(map, none, new Uint8Array(9), 0, false)).toThrow(code('EINVAL'));
  expect(() => api.sockMark(map, none, u64(1), 1, false)).toThrow(code('EINVAL'));
  expect(() => api.sockMark(map, new Uint8Array(11), u64(1), 0, false)).toThrow(code('EINVAL'));
  const plan = api.objectMapFd(object, 'plan');
  expect(() => api.sockMark(plan, none, u64(1), 0, false)).toThrow(code('EINVAL'));
  api.closeFd(plan);
  api.closeFd(map);
  api.objectClose(object);
});

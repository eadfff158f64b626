/** The calls that need no BPF: peer credentials, locks, boot time, the service manager's socket. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { api, tempFolder } from './fixture.js';

const folder = tempFolder();
afterAll(folder.drop);

const descriptor = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;

test('libbpf is the pinned version', () => {
  const pin = readFileSync(new URL('../../native/libbpf.pin', import.meta.url), 'utf8');
  expect(`version=${api.libbpfVersion}.0`).toBe(/^version=.*$/m.exec(pin)?.[0]);
});

test('peerCred names the process at the other end of a unix socket', async () => {
  const path = join(folder.path, 'peer.sock');
  const server = createServer().listen(path);
  await once(server, 'listening');
  const client = spawn(process.execPath, ['-e', `require('net').connect(${JSON.stringify(path)})`]);
  const [socket] = (await once(server, 'connection')) as [Socket];
  expect(api.peerCred(descriptor(socket))).toEqual({
    pid: client.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.kill();
  socket.destroy();
  server.close();
});

test('peerCred refuses what is no unix socket', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  await once(socket, 'connect');
  expect(() => api.peerCred(descriptor(socket))).toThrow(expect.objectContaining({ code: 'EAFNOSUPPORT' }));
  socket.destroy();
  server.close();
  const file = openSync('/dev/null', 'r');
  expect(() => api.peerCred(file)).toThrow(expect.objectContaining({ code: 'ENOTSOCK' }));
  closeSync(file);
});

test('a lock held by another process is reported, and free once that process is gone', async () => {
  const path = join(folder.path, 'lock');
  const holder = spawn('bash', ['-c', 'exec 9>"$1"; flock 9; echo held; exec sleep 60', 'bash', path]);
  await once(holder.stdout, 'data');
  const fd = openSync(path, 'r');
  expect(() => api.flock(fd, 'exclusive', false)).toThrow(expect.objectContaining({ code: 'EWOULDBLOCK' }));
  holder.kill(); // a signal needs no turn of the loop that the next call holds up
  api.flock(fd, 'exclusive', true);
  expect(() => execFileSync('flock', ['-n', path, 'true'])).toThrow();
  api.flock(fd, 'unlock', false);
  execFileSync('flock', ['-n', path, 'true']);
  closeSync(fd);
});

test('bootNs lies between two readings of /proc/uptime', () => {
  const uptime = () => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9;
  const before = uptime();
  const now = api.bootNs();
  // uptime is cut to hundredths of a second
  expect(now).toBeGreaterThanOrEqual(before);
  expect(now).toBeLessThanOrEqual(uptime() + 1e7);
});

const receive = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0'))
print('bound', flush=True)
print(s.recv(100).decode(), flush=True)`;

test.each(['path', 'abstract'])('sdNotify reaches a socket named by %s', async (kind) => {
  const name = kind === 'path' ? join(folder.path, 'notify') : `@kerngate-test-${process.pid}`;
  const receiver = spawn('python3', ['-c', receive, name]);
  let said = '';
  receiver.stdout.on('data', (part) => {
    said += part;
  });
  await once(receiver.stdout, 'data');
  process.env.NOTIFY_SOCKET = name;
  expect(api.sdNotify('READY=1\nSTATUS=ready')).toBe(true);
  delete process.env.NOTIFY_SOCKET;
  await once(receiver, 'close');
  expect(said).toBe('bound\nREADY=1\nSTATUS=ready\n');
});

test('sdNotify without a service manager says so', () => {
  delete process.env.NOTIFY_SOCKET;
  expect(api.sdNotify('READY=1')).toBe(false);
});

test('sdNotify to nobody throws', () => {
  process.env.NOTIFY_SOCKET = join(folder.path, 'nobody');
  expect(() => api.sdNotify('READY=1')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  delete process.env.NOTIFY_SOCKET;
});

/** Clients that mean harm or know no better: the server survives, and nothing changes. */
import { connect, type Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { callAgent } from '../../../src/control/client.js';
import { READER, ROOT, type Running, startServer } from './fake-api.js';

const open = (path: string): Promise<Socket> =>
  new Promise((done, fail) => {
    const socket = connect(path, () => done(socket)).once('error', fail);
    onTestFinished(() => void socket.destroy());
  });

/** Sends bytes, ends, and answers all that came back. */
const exchange = (path: string, bytes: Uint8Array | string): Promise<string> =>
  new Promise((done) => {
    let text = '';
    const socket = connect(path, () => socket.end(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => {}); // Being cut off is a fair answer to garbage.
    socket.on('close', () => done(text));
  });

const expectUnharmed = async ({ api, socketPath }: Running): Promise<void> => {
  expect(api.changes).toEqual([]);
  expect(await callAgent(socketPath, 'GET', '/v1/mode')).toEqual({ mode: 'audit' });
};

const request = (path: string, body: string, method = 'POST'): string =>
  `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

const CHANGES = ['block', 'unblock', 'allow/add', 'allow/remove', 'mode'];

describe('garbage', () => {
  it('survives random bytes', async () => {
    const running = await startServer();
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (bytes) => {
        await exchange(running.socketPath, bytes);
      }),
      { numRuns: 60 },
    );
    await expectUnharmed(running);
  });

  it('survives requests cut off anywhere', async () => {
    const running = await startServer();
    const whole = request('/v1/panic', '{"x": 1}');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        await exchange(running.socketPath, whole.slice(0, length));
      }),
      { numRuns: 40 },
    );
    await expectUnharmed(running);
  });

  it('refuses random JSON on every route that changes something', async () => {
    const running = await startServer();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...CHANGES), fc.json(), async (route, body) => {
        const text = await exchange(running.socketPath, request(`/v1/${route}`, body));
        expect(text).toMatch(/^HTTP\/1\.1 400 /);
        expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n')))).toMatchObject({ exit: 2 });
      }),
      { numRuns: 100 },
    );
    await expectUnharmed(running);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', '400', 'this is no HTTP request'],
    ['no JSON', request('/v1/panic', '{'), '400', 'the request is no JSON'],
    [
      'no UTF-8',
      Buffer.from(request('/v1/panic', '"??"').replace('??', '\xff\xfe'), 'latin1'),
      '400',
      'no JSON',
    ],
    ['a prototype', request('/v1/unblock', '{"__proto__":{"all":true}}'), '400', 'bad request'],
    ['a path that is none', request('//', '', 'GET'), '400', 'no valid path'],
    ['a body where none belongs', request('/v1/status', '{}', 'GET'), '400', 'takes no body'],
    ['an unknown method', request('/v1/status', '', 'DELETE'), '405', 'cannot be asked with DELETE'],
    ['endless headers', `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, '400', 'no HTTP request'],
  ])('answers %s in JSON', async (_, bytes, status, message) => {
    const running = await startServer();
    const text = await exchange(running.socketPath, bytes);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n'))).error).toContain(message);
    await expectUnharmed(running);
  });

  it('stops reading a body that says it is endless', async () => {
    const running = await startServer();
    const socket = await open(running.socketPath);
    socket.on('error', () => {});
    const closed = new Promise((done) => socket.once('close', done));
    const answered = new Promise<string>((done) => socket.once('data', (chunk) => done(chunk.toString())));
    socket.write('POST /v1/panic HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    for (let i = 0; i < 5; i++) socket.write(`4000\r\n${'z'.repeat(0x4000)}\r\n`);
    expect(await answered).toMatch(/^HTTP\/1\.1 413 /);
    await closed;
    await expectUnharmed(running);
  });
});

describe('slow and many', () => {
  it('closes a connection that never finishes its headers', async () => {
    const running = await startServer({ limits: { headersMs: 100, requestMs: 200, graceMs: 50 } });
    const socket = await open(running.socketPath);
    socket.resume().write('GET /v1/mode HT');
    await new Promise((done) => socket.once('close', done));
    await expectUnharmed(running);
  });

  it('closes a connection that says nothing', async () => {
    const running = await startServer({ limits: { headersMs: 100, requestMs: 200, graceMs: 50 } });
    const socket = await open(running.socketPath);
    await new Promise((done) => socket.resume().once('close', done));
    await expectUnharmed(running);
  });

  it('keeps places for root when others take all they can get', async () => {
    const running = await startServer({ limits: { maxOthers: 3 } });
    running.peer = READER;
    for (let i = 0; i < 3; i++) await open(running.socketPath);
    const refused = await open(running.socketPath);
    await new Promise((done) => refused.resume().once('close', done));
    running.peer = ROOT;
    await expectUnharmed(running);
    expect(running.server.counters().control_refused_connections).toBe(1);
  });

  it('gives a place back when its holder leaves', async () => {
    const running = await startServer({ limits: { maxOthers: 1 } });
    running.peer = READER;
    const holder = await open(running.socketPath);
    await expect(callAgent(running.socketPath, 'GET', '/v1/mode')).rejects.toThrow('closed the connection');
    holder.destroy();
    await vi.waitFor(async () => {
      expect(await callAgent(running.socketPath, 'GET', '/v1/mode')).toEqual({ mode: 'audit' });
    });
  });

  it('holds no more connections than its limit', async () => {
    const running = await startServer({ limits: { maxConnections: 2 } });
    await open(running.socketPath);
    await open(running.socketPath);
    const third = await open(running.socketPath);
    third.on('error', () => {});
    await new Promise((done) => third.resume().once('close', done));
    expect(running.server.counters().control_refused_connections).toBe(1);
  });
});

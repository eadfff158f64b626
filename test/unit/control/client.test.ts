/** The client against what is not a healthy agent. */
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { callAgent, followAgent } from '../../../src/control/client.js';
import { EXIT } from '../../../src/model/error.js';
import { scratchFolder } from './fake-api.js';

/** A server that answers each connection with `text`, or never when it is undefined. */
const listen = (path: string, text?: string): Promise<Server> =>
  new Promise((done) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      if (text !== undefined) socket.once('data', () => socket.end(text));
    });
    server.listen(path, () => done(server));
    onTestFinished(() => void server.close());
  });

const follow = (path: string) =>
  followAgent(path, '/v1/events/follow', () => {}, new AbortController().signal);

describe('no agent', () => {
  it('is exit 4 with the path and a remedy', async () => {
    const path = join(scratchFolder(), 'none.sock');
    for (const call of [callAgent(path, 'GET', '/v1/status'), follow(path)]) {
      await expect(call).rejects.toMatchObject({
        message: `no agent answers on ${path} (there is no such socket)`,
        remedy: expect.stringContaining('--socket'),
        exitCode: EXIT.unreachable,
      });
    }
  });

  it('is exit 4 for a file and for a path too long', async () => {
    const file = join(scratchFolder(), 'file');
    writeFileSync(file, '');
    for (const path of [file, `/tmp/${'x'.repeat(200)}`, `${file}/below`]) {
      await expect(callAgent(path, 'GET', '/v1/status')).rejects.toMatchObject({
        exitCode: EXIT.unreachable,
      });
    }
  });

  it('is exit 4 when it does not answer in time', async () => {
    const path = join(scratchFolder(), 'kg.sock');
    await listen(path);
    await expect(callAgent(path, 'POST', '/v1/panic', {}, 100)).rejects.toMatchObject({
      message: expect.stringContaining('did not answer within 0.1 s'),
      exitCode: EXIT.unreachable,
    });
  });

  it('is exit 4 when it closes at once', async () => {
    const path = join(scratchFolder(), 'kg.sock');
    await listen(path, '');
    await expect(callAgent(path, 'GET', '/v1/status')).rejects.toMatchObject({ exitCode: EXIT.unreachable });
  });
});

describe('something else', () => {
  it.each([
    ['HTML', 'HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>'],
    ['an empty page', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ])('that answers %s is named', async (_, text) => {
    const path = join(scratchFolder(), 'kg.sock');
    await listen(path, text);
    await expect(callAgent(path, 'GET', '/v1/status')).rejects.toThrow('is no kerngate agent');
  });

  it('that answers an error of another shape is exit 1', async () => {
    const path = join(scratchFolder(), 'kg.sock');
    await listen(path, 'HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\n{}');
    await expect(callAgent(path, 'GET', '/v1/status')).rejects.toMatchObject({ exitCode: EXIT.failed });
    await expect(follow(path)).rejects.toMatchObject({ exitCode: EXIT.failed });
  });

  it('that speaks no HTTP is exit 4', async () => {
    const path = join(scratchFolder(), 'kg.sock');
    await listen(path, 'SSH-2.0-other\r\n');
    await expect(callAgent(path, 'GET', '/v1/status')).rejects.toMatchObject({ exitCode: EXIT.unreachable });
  });
});

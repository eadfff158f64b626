/** The control server over a real socket: routes, who may call them, what they accept. */
import { fstatSync, lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callAgent } from '../../../src/control/client.js';
import { EXIT } from '../../../src/model/error.js';
import { ALLOW_ENTRY, DECISION, makeEvent, READER, ROOT, STRANGER, startServer } from './fake-api.js';

const BLOCK = { pid: 4242, forNs: 600e9, reason: 'test', deny: 'new' };

describe('routes', () => {
  it('answers what the agent answers', async () => {
    const { socketPath } = await startServer();
    const get = (path: string) => callAgent(socketPath, 'GET', path);
    expect(await get('/v1/decisions')).toEqual([DECISION]);
    expect(await get('/v1/findings')).toEqual([]);
    expect(await get('/v1/events?kind=connect&pid=7')).toEqual([makeEvent(7, 'connect')]);
    expect(await get('/v1/allow')).toEqual([ALLOW_ENTRY]);
    expect(await get('/v1/mode')).toEqual({ mode: 'audit' });
    expect(await get('/v1/policies')).toEqual([]);
  });

  it('hands each change to the agent with the peer', async () => {
    const { api, socketPath } = await startServer();
    const post = (path: string, body?: unknown) => callAgent(socketPath, 'POST', path, body);
    expect(await post('/v1/block', BLOCK)).toEqual({ decision: DECISION });
    expect(await post('/v1/unblock', { all: true })).toEqual([DECISION]);
    expect(await post('/v1/allow/add', { exe: '/bin/x', reason: 'r' })).toEqual(ALLOW_ENTRY);
    expect(await post('/v1/allow/remove', { uid: 0 })).toEqual([ALLOW_ENTRY]);
    expect(await post('/v1/mode', { mode: 'enforce', confirmWithinNs: 5e9 })).toEqual({ mode: 'enforce' });
    expect(await post('/v1/confirm')).toBeNull();
    expect(await post('/v1/panic', {})).toEqual({ lifted: 3 });
    expect(await post('/v1/policies/reload')).toEqual([]);
    expect(api.changes).toEqual([
      ['block', BLOCK, ROOT],
      ['unblock', { all: true }, ROOT],
      ['allowAdd', { exe: '/bin/x', reason: 'r' }, ROOT],
      ['allowRemove', { uid: 0 }, ROOT],
      ['setMode', 'enforce', 5e9, ROOT],
      ['confirm', ROOT],
      ['panic', ROOT],
      ['reload'],
    ]);
  });

  it('answers null when no entry spares a target', async () => {
    const { socketPath } = await startServer();
    const check = (unit: string) => callAgent(socketPath, 'POST', '/v1/allow/check', { unit });
    expect(await check('backup.service')).toEqual(ALLOW_ENTRY);
    expect(await check('other.service')).toBeNull();
  });

  it('carries exit code and remedy of an error of the agent', async () => {
    const { socketPath } = await startServer();
    await expect(callAgent(socketPath, 'GET', '/v1/status')).rejects.toMatchObject({
      message: 'no status here',
      remedy: 'Wait.',
      exitCode: EXIT.degraded,
    });
    await expect(callAgent(socketPath, 'POST', '/v1/unblock', { id: 'unknown' })).rejects.toMatchObject({
      exitCode: EXIT.notFound,
    });
  });

  it('answers an unexpected error without its stack, and reports it', async () => {
    const { socketPath, errors } = await startServer();
    await expect(callAgent(socketPath, 'GET', '/v1/sessions')).rejects.toMatchObject({
      message: 'the agent failed: a slip',
      exitCode: EXIT.failed,
    });
    expect(errors).toHaveLength(1);
  });
});

describe('access', () => {
  it('lets readers read, and change nothing', async () => {
    const running = await startServer();
    running.peer = READER;
    expect(await callAgent(running.socketPath, 'GET', '/v1/decisions')).toEqual([DECISION]);
    expect(await callAgent(running.socketPath, 'POST', '/v1/allow/check', { pid: 1 })).toBeNull();
    for (const path of [
      'block',
      'unblock',
      'allow/add',
      'allow/remove',
      'mode',
      'confirm',
      'panic',
      'policies/reload',
    ]) {
      await expect(callAgent(running.socketPath, 'POST', `/v1/${path}`, {})).rejects.toMatchObject({
        message: 'user id 1000 may read but not change anything',
        exitCode: EXIT.failed,
      });
    }
    expect(running.api.changes).toEqual([]);
  });

  it('lets nobody else in, whatever the path', async () => {
    const running = await startServer();
    running.peer = STRANGER;
    for (const path of ['/v1/status', '/v1/events/follow', '/nowhere']) {
      await expect(callAgent(running.socketPath, 'GET', path)).rejects.toMatchObject({
        message: 'user id 1001 may not talk to the agent',
      });
    }
    expect(running.api.followers.size).toBe(0);
  });

  it('lets nobody in whom the kernel does not name', async () => {
    const { socketPath, api } = await startServer({
      peerCred: () => {
        throw new Error('ENOTCONN');
      },
    });
    await expect(callAgent(socketPath, 'POST', '/v1/panic', {})).rejects.toMatchObject({
      exitCode: EXIT.failed,
    });
    expect(api.changes).toEqual([]);
  });

  it('asks for the credentials of a socket, by a live descriptor', async () => {
    const seen: boolean[] = [];
    const { socketPath } = await startServer({
      peerCred: (fd) => {
        seen.push(fstatSync(fd).isSocket());
        return ROOT;
      },
    });
    await callAgent(socketPath, 'GET', '/v1/mode');
    expect(seen).toEqual([true]);
  });

  it('greets root, once for each connection, and nobody else', async () => {
    const running = await startServer();
    await callAgent(running.socketPath, 'GET', '/v1/mode');
    running.peer = READER;
    await callAgent(running.socketPath, 'GET', '/v1/mode');
    expect(running.api.greeted).toEqual([ROOT]);
  });
});

describe('bad requests', () => {
  const cases: readonly [string, unknown, RegExp][] = [
    ['/v1/block', { ...BLOCK, ip: '192.0.2.1' }, /exactly one of pid, cgroup, unit, container, ip/],
    ['/v1/block', { ...BLOCK, pid: undefined }, /exactly one/],
    ['/v1/block', { ...BLOCK, pid: '4242' }, /pid: /],
    ['/v1/block', { ...BLOCK, pid: 0 }, /pid: /],
    ['/v1/block', { ...BLOCK, forNs: -1 }, /forNs: /],
    ['/v1/block', { ...BLOCK, forNs: 1e30 }, /forNs: /],
    ['/v1/block', { ...BLOCK, deny: 'most' }, /deny: /],
    ['/v1/block', { ...BLOCK, pid: undefined, ip: '10.0.0.0/33' }, /ip: is no IP address/],
    ['/v1/block', { ...BLOCK, pid: undefined, cgroup: '/a\0b' }, /cgroup: /],
    ['/v1/block', { ...BLOCK, lineag: true }, /lineag/],
    ['/v1/unblock', {}, /exactly one/],
    ['/v1/unblock', { all: false }, /all: /],
    ['/v1/unblock', { all: true, pid: 1 }, /exactly one/],
    ['/v1/unblock', [], /bad request/],
    ['/v1/unblock', null, /bad request/],
    ['/v1/unblock?all=true', {}, /takes no query/],
    ['/v1/mode', { mode: 'off' }, /mode: /],
    ['/v1/mode', { mode: 'audit', confirmWithinNs: 1e9 }, /goes with enforce/],
    ['/v1/panic', { now: true }, /now/],
    ['/v1/nowhere', {}, /knows no \/v1\/nowhere/],
    ['/v1/status', {}, /cannot be asked with POST/],
    ['/v1/block', { ...BLOCK, reason: 'x'.repeat(65_536) }, /longer than 65536 bytes/],
  ];

  it.each(cases)('%s is refused by name (%#)', async (path, body, message) => {
    const { socketPath, api, server } = await startServer();
    const call = callAgent(socketPath, 'POST', path, body);
    await expect(call).rejects.toMatchObject({
      message: expect.stringMatching(message),
      exitCode: EXIT.usage,
    });
    expect(api.changes).toEqual([]);
    expect(server.counters().control_refused_requests).toBe(1);
  });

  it.each(['?kind=nothing', '?pid=x', '?pid=1&pid=2', '?who=me'])('events%s is refused', async (query) => {
    const { socketPath } = await startServer();
    for (const path of ['/v1/events', '/v1/events/follow']) {
      await expect(callAgent(socketPath, 'GET', path + query)).rejects.toMatchObject({
        exitCode: EXIT.usage,
      });
    }
  });
});

describe('the socket file', () => {
  it('is 0660 in a folder of 0750', async () => {
    const { socketPath } = await startServer();
    expect(lstatSync(socketPath).mode & 0o777).toBe(0o660);
    expect(lstatSync(dirname(socketPath)).mode & 0o777).toBe(0o750);
  });
});

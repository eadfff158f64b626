/** Which socket files a starting agent takes over, and which it leaves alone. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callAgent } from '../../../src/control/client.js';
import { startControlServer } from '../../../src/control/server.js';
import { createFakeApi, ROOT, scratchFolder, startServer } from './fake-api.js';

const start = (socketPath: string) =>
  startControlServer({ socketPath, api: createFakeApi(), peerCred: () => ROOT });

/** Leaves the socket of a process that was killed. */
const leaveStaleSocket = (path: string): void => {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
};

describe('listening', () => {
  it('replaces the socket of a dead agent', async () => {
    const path = join(scratchFolder(), 'kg.sock');
    leaveStaleSocket(path);
    expect(lstatSync(path).isSocket()).toBe(true);
    const server = await start(path);
    expect(await callAgent(path, 'GET', '/v1/mode')).toEqual({ mode: 'audit' });
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('refuses the socket of a live agent and leaves it working', async () => {
    const { socketPath } = await startServer();
    await expect(start(socketPath)).rejects.toThrow(`another agent answers on ${socketPath}`);
    expect(await callAgent(socketPath, 'GET', '/v1/mode')).toEqual({ mode: 'audit' });
  });

  it.each([
    ['a file', (path: string) => writeFileSync(path, 'precious')],
    ['a folder', (path: string) => mkdirSync(path)],
    ['a link to nowhere', (path: string) => symlinkSync('/nowhere', path)],
  ])('refuses %s and leaves it there', async (_, make) => {
    const path = join(scratchFolder(), 'kg.sock');
    make(path);
    await expect(start(path)).rejects.toThrow(`${path} exists and is no socket`);
    expect(lstatSync(path).isSocket()).toBe(false);
  });

  it('refuses a path that no socket can have', async () => {
    await expect(start(`/tmp/${'x'.repeat(120)}`)).rejects.toThrow('longer than 107 bytes');
  });

  it('names the path when the folder cannot be made', async () => {
    const file = join(scratchFolder(), 'file');
    writeFileSync(file, '');
    await expect(start(join(file, 'kg.sock'))).rejects.toThrow(`cannot listen on ${file}/kg.sock`);
  });
});

/** The built program against a control socket: what it asks, prints, and how it ends. */
import { describe, expect, it, vi } from 'vitest';
import { createFakeApi, DECISION, makeEvent, type Running, startServer } from '../unit/control/fake-api.js';
import { nowhere, run, start } from './program.js';

const env = ({ socketPath }: Running) => ({ ...nowhere(), KERNGATE_SOCKET: socketPath });

const waitForFollower = (running: Running) =>
  vi.waitFor(() => expect(running.api.followers.size).toBe(1), { timeout: 10_000 });

const STATUS = {
  version: '0.0.0',
  pid: 1,
  started: '2026-01-01T00:00:00.000Z',
  mode: 'enforce',
  level: 'cgroup',
  scope: '/sys/fs/cgroup',
  panic: false,
  hooks: [{ program: 'kg_connect4', attached: '/' }],
  open: ['raw sockets'],
  open_why: [],
  ways: {},
  policies: 1,
  blocks: 2,
  rate: 1.25,
  counters: { kg_lost: 7 },
  degraded: [],
} as const;

describe('status', () => {
  it.each([
    ['holds', {}, 0],
    ['is degraded', { degraded: ['a hook is gone'] }, 6],
    ['is in panic', { panic: true }, 6],
  ])('tells whether enforcement %s', async (_, change, exit) => {
    const status = { ...STATUS, ...change };
    const running = await startServer({ api: { ...createFakeApi(), status: () => status } });
    const { code, stdout } = await run(['status'], env(running));
    expect(code).toBe(exit);
    expect(stdout).toMatch(/^level +cgroup$/m);
    expect(stdout).toMatch(/^ {2}kg_lost +7$/m);
    expect(JSON.parse((await run(['status', '-o', 'json'], env(running))).stdout)).toEqual(status);
  });

  it('ends with the exit code and the remedy the agent gives', async () => {
    const { code, stderr } = await run(['status'], env(await startServer()));
    expect(code).toBe(6);
    expect(stderr).toBe('kerngate: no status here\n  Wait.\n');
  });
});

describe('block and unblock', () => {
  it('sends what was asked for, and names the way back', async () => {
    const running = await startServer();
    const line = ['block', '--pid', '4242', '--lineage', '--for', '1h', '--reason', 'a test'];
    const { code, stdout } = await run(line, env(running));
    expect(code).toBe(0);
    expect(stdout).toContain(`lift: kerngate unblock ${DECISION.id}`);
    expect(running.api.changes[0]?.[1]).toEqual({
      pid: 4242,
      lineage: true,
      forNs: 3_600e9,
      reason: 'a test',
      deny: 'new',
    });
  });

  it('is exit 6 with a remark in audit mode', async () => {
    const decision = { ...DECISION, mode: 'audit' as const };
    const running = await startServer({ api: { ...createFakeApi(), block: async () => ({ decision }) } });
    const { code, stdout, stderr } = await run(['-o', 'json', 'block', '--unit', 'a.service'], env(running));
    expect(code).toBe(6);
    expect(JSON.parse(stdout)).toMatchObject({
      ...decision,
      degraded: expect.stringContaining('audit mode'),
    });
    expect(stderr).toContain('nothing is denied');
  });

  it('lists and lifts', async () => {
    const running = await startServer();
    expect(JSON.parse((await run(['blocks', 'list', '-o', 'json'], env(running))).stdout)).toEqual([
      DECISION,
    ]);
    const { code, stdout } = await run(['unblock', DECISION.id], env(running));
    expect(code).toBe(0);
    expect(stdout).toContain(DECISION.id);
    expect(running.api.changes[0]?.[1]).toEqual({ id: DECISION.id });
    expect(await run(['unblock', 'unknown'], env(running))).toMatchObject({ code: 3 });
  });
});

describe('allow', () => {
  it('adds for a time, and is exit 3 for what is not there', async () => {
    const running = await startServer();
    const added = await run(['allow', 'add', 'exe:/usr/bin/rsync', '--for', '7d'], env(running));
    expect(added).toMatchObject({ code: 0, stderr: '' });
    expect(running.api.changes[0]?.[1]).toEqual({
      exe: '/usr/bin/rsync',
      forNs: 604_800e9,
      reason: 'added by hand',
    });
    expect(await run(['allow', 'check', 'backup.service'], env(running))).toMatchObject({ code: 0 });
    expect(await run(['allow', 'check', '203.0.113.7'], env(running))).toMatchObject({ code: 3 });
  });
});

describe('mode, confirm and panic', () => {
  it('shows, switches and confirms', async () => {
    const running = await startServer();
    expect(await run(['mode'], env(running))).toMatchObject({ code: 0, stdout: 'audit\n' });
    expect(await run(['mode', 'enforce', '--confirm-within', '5m'], env(running))).toMatchObject({ code: 0 });
    expect(await run(['confirm'], env(running))).toMatchObject({ code: 0 });
    expect(running.api.changes).toEqual([
      ['setMode', 'enforce', 300e9, running.peer],
      ['confirm', running.peer],
    ]);
  });

  it('is exit 6 when enforcement was asked for and does not hold', async () => {
    const running = await startServer({ api: { ...createFakeApi(), setMode: async () => 'audit' as const } });
    expect(await run(['mode', 'enforce'], env(running))).toMatchObject({ code: 6, stdout: 'audit\n' });
  });

  it('tells the agent of a panic', async () => {
    const running = await startServer();
    const { code, stdout } = await run(['-o', 'json', 'panic'], env(running));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ lifted: 3, agent: true });
    expect(running.api.changes).toEqual([['panic', running.peer]]);
  });
});

describe('events', () => {
  it('passes its filters on', async () => {
    const running = await startServer();
    const { stdout } = await run(['-o', 'json', 'events', '--kind', 'connect', '--pid', '7'], env(running));
    expect(JSON.parse(stdout)).toEqual([makeEvent(7, 'connect')]);
  });

  it('follows as JSON Lines until SIGINT, which is exit 0', async () => {
    const running = await startServer();
    const { child, ended } = start(['-o', 'json', 'events', '--follow'], env(running));
    await waitForFollower(running);
    const events = [makeEvent(1), makeEvent(2, '\u001b[31m')];
    const arrived = new Promise<void>((done) => {
      let lines = 0;
      child.stdout?.on('data', (text: string) => {
        lines += text.split('\n').length - 1;
        if (lines >= events.length) done();
      });
    });
    for (const event of events) running.api.emit(event);
    await arrived;
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
  });

  it('is exit 4 when the agent ends while it follows', async () => {
    const running = await startServer();
    const { ended } = start(['events', '-f'], env(running));
    await waitForFollower(running);
    await running.server.close();
    expect(await ended).toMatchObject({ code: 4, stderr: expect.stringContaining('it ended the stream') });
  });

  it('ends quietly when its reader has had enough', async () => {
    const running = await startServer();
    const { child, ended } = start(['events', '-f'], env(running));
    await waitForFollower(running);
    child.stdout?.destroy();
    const feed = setInterval(() => running.api.emit(makeEvent(1)), 5);
    const { code, stderr } = await ended.finally(() => clearInterval(feed));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

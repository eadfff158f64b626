/** The commands record and replay as a user meets them: files, exit codes, formats, the way they end. */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { captureText, eventAt, fileOf } from '../unit/capture/lines.js';
import { createFakeApi, scratchFolder, startServer } from '../unit/control/fake-api.js';
import { nowhere, run, start } from './program.js';

const POLICY = `kerngate: 1
policy: burst
on: connect
detect: {burst: {limit: 2, within: 10s, by: process}}
then: {block: process}
`;
const burst = (limit: number): string => fileOf(POLICY.replace('limit: 2', `limit: ${limit}`), 'burst.yaml');
const capture = captureText(Array.from({ length: 5 }, (_, second) => eventAt(second)));

const STATUS: Status = {
  ...{ version: '0', pid: 1, started: '2026-01-01T00:00:00.000Z', scope: '/', panic: false },
  ...{ mode: 'audit', level: 'cgroup' },
  ...{ hooks: [], open: [], open_why: [], ways: {}, policies: 1, blocks: 0, rate: 0, degraded: [] },
  counters: { ev_dropped: 3, vd_dropped: 2 },
};

describe('replay', () => {
  it('prints findings, decisions and a summary', async () => {
    const { code, stdout, stderr } = await run(['replay', fileOf(capture), '--policy', burst(2)], nowhere());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/finding +burst +process probe \(pid 4242\)/);
    expect(stdout).toMatch(/^denied +3$/m);
  });

  it('denies nothing in audit', async () => {
    const line = ['-o', 'json', 'replay', '--mode', 'audit', fileOf(capture), '--policy', burst(2)];
    const { stdout } = await run(line, nowhere());
    expect(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'summary',
      ...{ mode: 'audit', events: 5, findings: 1, denied: 0, audited: 3, complete: true, lost: 0 },
    });
  });

  it('reads standard input, compressed or not, and a folder of policies', async () => {
    const policy = burst(2);
    const file = fileOf(gzipSync(capture), 'capture.jsonl.gz');
    const { code } = await run(['replay', file, '--policy', join(policy, '..')], nowhere());
    expect(code).toBe(0);
    for (const input of [file, fileOf(capture)]) {
      const through = ['sh', '-c', 'cat "$INPUT" | "$0" "$@"'];
      const ran = await run(['replay', '-', '--policy', policy], { ...nowhere(), INPUT: input }, through);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
    }
  });

  it.each([
    ['a capture cut short', captureText([eventAt(1)], { end: false }), 1, 'it has no end line'],
    ['a line that is wrong', capture.replace('"pid":4242', '"pid":-1'), 5, ':2: pid: must be a process id'],
    ['events out of order', captureText([eventAt(2), eventAt(1)]), 5, 'events are out of order'],
  ])('refuses %s', async (_, text, exit, message) => {
    const { code, stderr } = await run(['replay', fileOf(text), '--policy', burst(2)], nowhere());
    expect(code).toBe(exit);
    expect(stderr).toContain(message);
  });

  it('says when the end line counts other events than there are', async () => {
    const file = fileOf(capture.replace('"events":5', '"events":7'));
    const { code, stderr } = await run(['replay', file, '--policy', burst(2)], nowhere());
    expect(code).toBe(0);
    expect(stderr).toContain('counts 7 events, but there are 5');
  });

  it('is exit 3 without the file, 5 with a bad policy, 2 with a bad mode', async () => {
    expect(await run(['replay', '/nowhere.jsonl'], nowhere())).toMatchObject({ code: 3 });
    const bad = ['replay', fileOf(capture), '--policy', fileOf('policy: x\n', 'bad.yaml')];
    expect(await run(bad, nowhere())).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('bad.yaml:1:1'),
    });
    expect(await run(['replay', '--mode', 'both', fileOf(capture)], nowhere())).toMatchObject({ code: 2 });
  });

  it('warns of nothing over a large compressed capture', async () => {
    const events = Array.from({ length: 4000 }, (_, second) => eventAt(second));
    const file = fileOf(gzipSync(captureText(events), { level: 0 }), 'capture.jsonl.gz');
    const { code, stderr } = await run(['replay', file, '--policy', burst(2)], nowhere());
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('ends when nobody reads it any more, however long the capture', async () => {
    const [head, line] = capture.split('\n');
    const each = 'kerngate: 1\npolicy: each\non: connect\nthen: {alert: true}\n';
    const endless = ['sh', '-c', '{ echo "$HEAD"; yes "$LINE"; } | timeout 60 "$0" "$@" | head -n 1'];
    const args = ['-o', 'json', 'replay', '/dev/stdin', '--policy', fileOf(each, 'each.yaml')];
    const ran = await run(args, { ...nowhere(), HEAD: head, LINE: line }, endless);
    expect(ran).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^{"type":"finding".*}\n$/),
    });
  });

  it('says in one line that its output found no room', async () => {
    const args = ['replay', fileOf(capture), '--policy', burst(2)];
    const { code, stderr } = await run(args, nowhere(), ['sh', '-c', '"$0" "$@" > /dev/full']);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^kerngate: the output cannot be written: ENOSPC.*\n$/),
    });
  });

  it('loads no addon', async () => {
    const line = ['replay', fileOf(capture), '--policy', burst(2)];
    const { code, stderr } = await run(line, { ...nowhere(), NODE_OPTIONS: '--no-addons' });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

const server = async () => {
  const api = { ...createFakeApi(), status: (): Status => STATUS };
  const running = await startServer({ api });
  return { ...running, api, env: { ...nowhere(), KERNGATE_SOCKET: running.socketPath } };
};

type Server = Awaited<ReturnType<typeof server>>;

const recorded = async ({ api, env }: Server, file: string) => {
  const { child, ended } = start(['record', file], env);
  await vi.waitFor(() => expect(api.followers.size).toBe(1), { timeout: 10_000 });
  return { child, ended };
};

describe('record', () => {
  it.each(['capture.jsonl', 'capture.jsonl.gz'])('writes %s in order, for its owner alone', async (name) => {
    const running = await server();
    const file = join(scratchFolder(), name);
    const { child, ended } = await recorded(running, file);
    const [filter] = [...running.api.followers].map((follower) => follower.filter);
    expect(filter).toEqual({ capture: true });
    for (const second of [2, 1, 3]) running.api.emit(eventAt(second, { lost: 4 }));
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    const bytes = readFileSync(file);
    const lines = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString().trimEnd().split('\n');
    const [header, ...rest] = lines.map((line) => JSON.parse(line));
    expect(header).toMatchObject({ kerngate_capture: 1, level: 'cgroup' });
    expect(rest.pop()).toEqual({ kerngate_end: true, events: 3, lost: 0 });
    expect(rest).toEqual([1, 2, 3].map((second) => eventAt(second, { lost: 4 })));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await run(['replay', file, '--policy', burst(2)], nowhere())).toMatchObject({ code: 0 });
  });

  it('never writes over a file, and makes none when no agent runs', async () => {
    const running = await server();
    const file = fileOf('mine');
    expect(await run(['record', '--for', '1s', file], running.env)).toMatchObject({ code: 1 });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    const none = join(scratchFolder(), 'none.jsonl');
    expect(await run(['record', none], nowhere())).toMatchObject({ code: 4 });
    expect(existsSync(none)).toBe(false);
  });

  it('says where it cannot write', async () => {
    const running = await server();
    const folder = join(scratchFolder(), 'folder.jsonl');
    mkdirSync(folder);
    expect(await run(['record', folder], running.env)).toMatchObject({ code: 1 });
    const { code, stderr } = await run(['record', '/nowhere/capture.jsonl'], running.env);
    expect(code).toBe(1);
    expect(stderr).toContain('/nowhere/capture.jsonl: cannot be made: ENOENT');
  });

  it('leaves what it has when the agent goes away', async () => {
    const running = await server();
    const file = join(scratchFolder(), 'capture.jsonl');
    const { ended } = await recorded(running, file);
    running.api.emit(eventAt(1));
    await running.server.close();
    expect(await ended).toMatchObject({ code: 4, stderr: expect.stringContaining('it ended the stream') });
    expect(await run(['replay', '--partial', file, '--policy', burst(2)], nowhere())).toMatchObject({
      code: 0,
    });
  });
});

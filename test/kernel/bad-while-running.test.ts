/** Bad input to an agent at work: it is refused with a word why, and what is in force stays in force. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KG_CONTROL_SLOT } from '../../src/abi/generated.js';
import type { Status } from '../../src/control/api.js';
import { callAgent } from '../../src/control/client.js';
import { native } from '../../src/kernel/native.js';
import { PACKAGE_ROOT } from '../../src/lib/paths.js';
import type { Decision } from '../../src/model/decision.js';
import { said, startActor } from './acting.js';
import { burst, type Ran, type Running, Stand, until, withStand } from './stand.js';

const MAIN = join(PACKAGE_ROOT, 'dist/main.js');
/** An agent in enforce mode, with a process it has blocked. */
let stand: Stand;
let attacker: Running;
let blocks: Decision[];

const CONNECT = 'tcp,127.0.0.1,1';
/** The errno of each of its connects so far: refused by nobody listening (111), or by the kernel (1). */
const triesOf = (actor: Running): number[] =>
  actor.lines.flatMap((line) => (line.startsWith('tcp ') ? Number(line.split(' ')[1]) : []));

beforeAll(async () => {
  stand = new Stand();
  await stand.start({ mode: 'enforce', policy: burst() });
  const more = Array.from({ length: 23 }, () => ['wait', CONNECT]).flat();
  attacker = startActor(stand, [...Array<string>(6).fill(CONNECT), ...more]);
  await until('it is blocked', () => said(attacker, 'tcp', 5).length > 0);
  expect(triesOf(attacker)).toEqual([111, 111, 111, 111, 111, 1]);
  await until('the block is listed', async () => {
    blocks = await stand.json<Decision[]>('blocks');
    return blocks.length === 1;
  });
});
afterAll(() => stand.close());

const listed = (): Promise<Decision[]> => callAgent<Decision[]>(stand.socket, 'GET', '/v1/decisions');

/** The agent is the same, in enforce mode; its block, its policy and its enforcement stand. */
const expectUnchanged = async (): Promise<void> => {
  expect(stand.agent?.isOver).toBe(false);
  const status = await callAgent<Status>(stand.socket, 'GET', '/v1/status');
  expect(status).toMatchObject({ mode: 'enforce', policies: 1, degraded: [] });
  expect((await listed()).map(({ id }) => id)).toEqual(blocks.map(({ id }) => id));
  const tries = triesOf(attacker).length;
  attacker.child.stdin?.write('\n');
  await until('it tries again', () => triesOf(attacker).length > tries);
  expect(triesOf(attacker).at(-1)).toBe(1);
  expect(await stand.attack('loop', 11)).toEqual({ passed: 5, denied: 6, other: 0 });
  await until('the other process is gone', async () => (await listed()).length === 1);
};

const send = (bytes: Uint8Array | string): Promise<string> =>
  new Promise((resolve) => {
    let answer = '';
    const socket = connect(stand.socket);
    socket.on('data', (part) => {
      answer += part;
    });
    socket.on('error', () => undefined).on('close', () => resolve(answer));
    socket.end(bytes);
  });

const post = (path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('the control socket', () => {
  it('takes garbage for what it is', async () => {
    for (let i = 0; i < 23; i++) await send(randomBytes(4096));
    expect(await send('\0'.repeat(100_000))).not.toContain('200 OK');
    expect(await send(post('/v1/unblock', '{"all": tr'))).toMatch(/400 [\s\S]*no JSON/);
    expect(await send(post('/v1/unblock', '{"al": true}'))).toMatch(/400 [\s\S]*bad request/);
    expect(await send(post('/v1/unblock', '{}'))).toMatch(/400 /);
    expect(await send(post('/v1/panics', '{}'))).toMatch(/404 /);
    expect(await send(post('/v1/mode', '{"mode": "off"}'))).toMatch(/400 [\s\S]*mode/);
    await expectUnchanged();
  });

  it('says to a stranger who he is, and what to do', async () => {
    chmodSync(stand.dir, 0o755);
    chmodSync(dirname(stand.socket), 0o755);
    chmodSync(stand.socket, 0o666);
    for (const words of [['status'], ['block', '--pid', '1'], ['unblock', '--all'], ['mode', 'audit']]) {
      const { code, stderr } = await asNobody(...words);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringMatching(/user id 65534 may not talk/),
      });
      expect(stderr).toMatch(/as root/);
    }
    await expectUnchanged();
  });
});

const asNobody = async (...words: string[]): Promise<Ran> => {
  const id = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const running = stand.spawn('setpriv', [...id, process.execPath, MAIN, ...words]);
  await new Promise((resolve) => running.child.once('close', resolve));
  return { code: running.child.exitCode ?? -1, stdout: '', stderr: running.lines.join('\n') };
};

describe('a reload', () => {
  it('with a broken set keeps the one in force', async () => {
    writeFileSync(stand.policyFile, burst({ extra: 'mtach: {}\n' }));
    const { code, stderr } = await stand.cli('policy', 'reload');
    expect(code).toBe(5);
    expect(stderr).toMatch(/policy\.yaml:6:1: unknown key 'mtach' \(did you mean 'match'\?\)/);
    await expectUnchanged();
    stand.agent?.child.kill('SIGHUP');
    await stand.agent?.line(/^reload refused, the old policies stay in force: .*policy\.yaml:6:1/);
    await expectUnchanged();
    writeFileSync(stand.policyFile, burst());
    expect((await stand.cli('policy', 'reload')).code).toBe(0);
    await expectUnchanged();
  });
});

describe('a second agent', () => {
  it('is refused by state, socket and pins of the first', async () => {
    const { code, stderr } = await stand.cli('run', '--policy', stand.policyFile);
    expect(code).toBe(1);
    expect(stderr).toMatch(/another agent runs with this state folder/);
    await expectUnchanged();
  });
});

describe('pins of another ABI', () => {
  it('stay in force, and are named', () =>
    withStand(async (other) => {
      await other.start({ mode: 'enforce', policy: burst() });
      await other.stop();
      const fd = native().mapOpen(join(other.pin, 'kg_control'));
      const key = new Uint8Array(Uint32Array.of(KG_CONTROL_SLOT.STAMP).buffer);
      native().mapUpdate(fd, key, new Uint8Array(BigUint64Array.of(0xbadn).buffer), 0);
      native().closeFd(fd);
      const before = readdirSync(other.pin);
      const { code, stderr } = await other.cli('run', '--policy', other.policyFile);
      expect(code).toBe(1);
      expect(stderr).toMatch(/pinned by a kerngate of another ABI \(0000000000000bad\)[\s\S]*kerngate panic/);
      expect(readdirSync(other.pin)).toEqual(before);
      expect(await other.attack('loop', 11)).toEqual({ passed: 5, denied: 6, other: 0 });
    }));
});

describe('doctor', () => {
  it('finds all it needs here, and leaves nothing behind', () =>
    withStand(async (other) => {
      const bpffs = dirname(other.pin);
      const before = readdirSync(bpffs);
      mkdirSync(other.state);
      const { code, stdout } = await other.cli('-o', 'json', 'doctor');
      const checks = JSON.parse(stdout) as { check: string; state: string; detail: string }[];
      expect(checks.filter(({ state }) => state === 'missing')).toEqual([]);
      expect(checks.find(({ check }) => check === 'level cgroup')?.detail).toMatch(
        /refused \(EPERM\), its verdict hit once/,
      );
      expect(code).toBe(0);
      expect(readdirSync(bpffs)).toEqual(before);
      expect(readdirSync(other.state)).toEqual([]);
      expect(
        readdirSync(other.cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory()),
      ).toEqual([]);
    }));
});

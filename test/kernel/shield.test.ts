/** The shield: on level lsm nobody but the agent gets at its maps, programs, links and pins while it lives. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { callAgent } from '../../src/control/client.js';
import { linkPath } from '../../src/kernel/links.js';
import { type NativeError, native } from '../../src/kernel/native.js';
import { QUIET } from './acting.js';
import { startAt } from './at-level.js';
import { FOREIGN, foreignProgram } from './foreign.js';
import { expectStep } from './life.js';
import { type Running, type Stand, withStand } from './stand.js';

const CONFIG = 'shield: true\n';
const GATE = 'kg_connect4';
const bytes = (hex: string): string[] => hex.match(/../g) ?? [];
const PANIC_ON = ['key', 'hex', ...bytes('00000000'), 'value', 'hex', ...bytes('0100000000000000')];

/** `done`, or what it was refused with. */
const tell = (command: string, ...words: string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8' });
  return status === 0 ? 'done' : `${stdout}${stderr}`.trim();
};
/** What is shown of an object, or why not. */
const show = (kind: string, id: string): string => {
  const { stdout, stderr } = spawnSync('bpftool', [kind, 'show', 'id', id], { encoding: 'utf8' });
  return `${stdout}${stderr}`.trim();
};
const bpftool = (...words: string[]): string => tell('bpftool', ...words);
/** Maps of the object that no program reads: there is nothing to gain from them. */
const UNREAD = / name (?:kg_abi|kerngate\.bss) /;
const REFUSED = expect.stringMatching(/Operation not permitted/);

/** The agent by its socket, as the commands ask it. */
const ask = (stand: Stand, what: 'block' | 'unblock', body: object): Promise<unknown> =>
  callAgent(stand.socket, 'POST', `/v1/${what}`, body);
const BLOCK = { deny: 'new', forNs: 600e9, reason: 'a test' };
const statusOf = (stand: Stand): Promise<Status> => callAgent<Status>(stand.socket, 'GET', '/v1/status');
const pinned = (stand: Stand): string[] =>
  [...readdirSync(join(stand.pin, 'links')), ...readdirSync(stand.pin)].sort();

/** Ids of what the agent holds, as /proc tells anybody. */
const held = (agent: Running, what: 'map' | 'link' | 'prog'): string[] => {
  const folder = `/proc/${agent.pid}/fdinfo`;
  const texts = readdirSync(folder).map((fd) => readFileSync(join(folder, fd), 'utf8'));
  const ids = texts.flatMap((text) => new RegExp(`^${what}_id:\\s*(\\d+)$`, 'm').exec(text)?.[1] ?? []);
  return [...new Set(ids)];
};

/** Every attack, with its outcome. */
const attacks = (stand: Stand, agent: Running): Record<string, string> => {
  const path = linkPath(stand.pin, GATE);
  const beside = join(dirname(stand.pin), `${GATE}_stolen`);
  const found: Record<string, string> = {
    'a map by pin': bpftool('map', 'update', 'pinned', join(stand.pin, 'kg_control'), ...PANIC_ON),
    'a program by pin': bpftool('prog', 'show', 'pinned', linkPath(stand.pin, 'kg_lsm_connect_prog')),
    'a link that is detached': bpftool('link', 'detach', 'pinned', path),
    'a pin of a link': tell('rm', path),
    'a pin of a map': tell('rm', '-f', join(stand.pin, 'kg_verdicts')),
    'a folder': tell('rm', '-r', join(stand.pin, 'links')),
    'an empty folder': tell('rmdir', join(stand.pin, 'links')),
    'a pin that is moved': tell('mv', path, beside),
    'a folder that is moved': tell('mv', '-T', stand.pin, `${stand.pin}_stolen`),
  };
  for (const kind of ['map', 'prog', 'link'] as const) {
    const ids = held(agent, kind);
    expect(ids.length, kind).toBeGreaterThan(10);
    for (const id of kind === 'map' ? ids : ids.slice(0, 5)) found[`${kind} ${id}`] = show(kind, id);
  }
  return Object.fromEntries(Object.entries(found).filter(([, outcome]) => !UNREAD.test(outcome)));
};

const putAnother = (stand: Stand): string => {
  const foreign = foreignProgram();
  const link = native().linkOpen(linkPath(stand.pin, GATE));
  try {
    native().linkUpdate(link, foreign.object, FOREIGN);
    return 'done';
  } catch (error) {
    return (error as NativeError).code;
  } finally {
    native().linkClose(link);
    foreign.close();
  }
};

/** The objects of others are nobody's business, in the same file system too. */
const expectOthersFree = (stand: Stand): void => {
  const path = `${stand.pin}_other`;
  const map = ['type', 'array', 'key', '4', 'value', '8', 'entries', '4', 'name', 'other'];
  expect(bpftool('map', 'create', path, ...map)).toBe('done');
  expect(bpftool('map', 'update', 'pinned', path, ...PANIC_ON)).toBe('done');
  expect(tell('mv', path, `${path}_new`)).toBe('done');
  expect(tell('rm', `${path}_new`)).toBe('done');
};

it('refuses all to everybody else while the agent lives, whose own work goes on; and nothing after', () =>
  withStand(async (stand) => {
    if (!(await startAt(stand, 'lsm', { policy: QUIET, config: CONFIG }))) return;
    const agent = stand.agent as Running;
    const before = pinned(stand);
    const found = attacks(stand, agent);
    expect(found).toEqual(Object.fromEntries(Object.keys(found).map((name) => [name, REFUSED])));
    expect(putAnother(stand)).toBe('EPERM');
    expectOthersFree(stand);
    expect(pinned(stand)).toEqual(before);

    const victim = stand.connector('step', 0);
    await expectStep(victim, 'passed');
    await ask(stand, 'block', { ...BLOCK, pid: victim.pid });
    await expectStep(victim, 'denied');
    await ask(stand, 'unblock', { all: true });
    await expectStep(victim, 'passed');
    await stand.reload(QUIET);
    await ask(stand, 'block', { ...BLOCK, pid: victim.pid });
    const { degraded, panic, counters } = await statusOf(stand);
    expect({ degraded, panic, repaired: counters.drift_repaired }).toEqual({
      degraded: [],
      panic: false,
      repaired: 0,
    });
    expect(counters.shield_denied).toBeGreaterThanOrEqual(Object.keys(found).length);

    await agent.kill('SIGKILL');
    await expectStep(victim, 'denied');
    expect((await stand.cli('panic')).code).toBe(0);
    await expectStep(victim, 'passed');
    expect(bpftool('link', 'detach', 'pinned', linkPath(stand.pin, GATE))).toBe('done');
    expect(tell('rm', '-r', stand.pin)).toBe('done');
    expect(existsSync(stand.pin)).toBe(false);
  }));

it('ends with an agent that stops, and is taken up by the next one that is told to', () =>
  withStand(async (stand) => {
    const control = join(stand.pin, 'kg_control');
    const look = (): string => bpftool('map', 'show', 'pinned', control);
    if (!(await startAt(stand, 'lsm', { policy: QUIET, config: CONFIG }))) return;
    expect(look()).toEqual(REFUSED);
    await stand.stop();
    expect(look()).toBe('done');
    expect(await startAt(stand, 'lsm')).toBe(true);
    expect(look()).toEqual(REFUSED);
    expect((await stand.cli('panic')).code).toBe(0);
    expect(look()).toBe('done');
    await stand.agent?.kill('SIGKILL');
    rmSync(stand.pin, { recursive: true });
  }));

it('is degraded with the reason at a level that cannot hold it', () =>
  withStand(async (stand) => {
    await stand.start({ policy: QUIET, config: CONFIG, args: ['--level', 'cgroup'] });
    expect((await statusOf(stand)).degraded).toEqual([
      'the shield does not hold: it needs level lsm, and this is level cgroup',
    ]);
    expect((await stand.cli('status')).code).toBe(6);
    expect(bpftool('map', 'show', 'pinned', join(stand.pin, 'kg_control'))).toBe('done');
  }));

/** Who is who: containers and PID namespaces, units, audit sessions, and trees that fork while they are blocked. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Decision } from '../../src/model/decision.js';
import { countersOf, eventsOf, QUIET } from './acting.js';
import { compiled } from './fixtures/compile.js';
import { oneBlock } from './life.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';
import { talk } from './talker.js';

const ID = (digit: string): string => digit.repeat(64);
const IN_PIDNS = ['unshare', '--pid', '--fork', '--mount-proc'] as const;

/** A player that is PID 1 of a namespace of its own; `host` is what it is outside. */
const startInside = async (stand: Stand, cgroup: string): Promise<{ player: Player; host: number }> => {
  const player = await Player.start(stand, { cgroup, under: IN_PIDNS });
  const children = readFileSync(`/proc/${player.pid}/task/${player.pid}/children`, 'utf8');
  return { player, host: Number(children.trim()) };
};

const block = async (stand: Stand, ...words: string[]): Promise<Decision> => {
  const { code, stdout, stderr } = await stand.cli('-o', 'json', 'block', ...words);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Decision;
};

it.each(['docker', 'cri-containerd'])(
  'a container of %s is blocked with all in its PID namespace',
  (manager) =>
    withStand(async (stand) => {
      await stand.start({ mode: 'enforce', policy: QUIET });
      const [bad, good] = [ID('a'), ID('b')];
      const [inside, other] = [
        await startInside(stand, stand.makeCgroup(`${manager}-${bad}.scope`)),
        await startInside(stand, stand.makeCgroup(`${manager}-${good}.scope`)),
      ];
      const { subject } = await block(stand, '--container', bad);
      expect(subject).toMatchObject({ kind: 'container', id: bad });
      expect(await inside.player.row(2)).toBe('--');
      expect(await inside.player.row(1, 'child connect 127.0.0.1 1')).toBe('-');
      expect(await other.player.row(2)).toBe('++');
      const [event] = await eventsOf(stand, inside.host, 'connect');
      expect(event).toMatchObject({ container: bad, verdict: 'deny' });
      await stand.cli('unblock', '--all');
      expect(await inside.player.row(1)).toBe('+');
    }),
);

it('a PID inside a namespace is never taken for the host one, by nobody', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: burst({ limit: 2 }) });
    const unit = stand.makeCgroup('web.service');
    const [one, two] = [await startInside(stand, unit), await startInside(stand, unit)];
    /* PID 1 both, and counted apart */
    expect([await one.player.row(3), await two.player.row(2)]).toEqual(['++-', '++']);
    const { subject } = await oneBlock(stand);
    expect(subject.id.split('@')[0]).toBe(String(one.host));
    await stand.cli('unblock', '--all');
    const { code, stderr } = await stand.cli('block', '--pid', '1');
    expect({ code, refused: /PID 1/.test(stderr) }).toEqual({ code: 1, refused: true });
    expect((await block(stand, '--pid', String(two.host))).subject.id).toMatch(`${two.host}@`);
    expect([await one.player.row(1), await two.player.row(1)]).toEqual(['+', '-']);
    await stand.cli('unblock', '--all');
    await block(stand, '--unit', 'web');
    expect([await one.player.row(1), await two.player.row(1)]).toEqual(['-', '-']);
  }));

it('an audit session is blocked wherever its processes are, with what they had open', () =>
  withStand(async (stand) => {
    const spawner = (command: string, args: readonly string[]) => stand.spawn(command, args);
    const peer = await talk('-', { spawner });
    const subject = await talk(stand.cgroup, { spawner });
    const innocent = await talk(stand.cgroup, { spawner });
    for (const who of [subject, innocent]) await who.say('login 1001');
    const [listener, port] = await peer.say('listen');
    const [own] = await subject.say(`connect ${port}`);
    const [far] = await peer.say(`accept ${listener}`);
    const [others] = await innocent.say(`connect ${port}`);
    const [away] = await peer.say(`accept ${listener}`);
    await stand.start({
      mode: 'enforce',
      policy: `${burst({ limit: 2, by: 'session' })}  deny: all\n`,
      args: ['--level', 'cgroup'],
    });
    const results = [];
    for (let i = 0; i < 3; i++) results.push((await subject.say(`connect ${port}`)).at(-1));
    expect(results.at(-1)).toBe('EPERM');
    const session = readFileSync(`/proc/${subject.pid}/sessionid`, 'utf8');
    const decisions = await stand.json<Decision[]>('blocks');
    /* the kernel's own, and the agent's that reaches farther */
    expect(decisions.map(({ subject }) => subject.name)).toEqual([
      `session ${session}`,
      `session ${session}`,
    ]);
    const refused = async () => (await countersOf(stand)).denied ?? 0;
    const before = await refused();
    expect(await subject.say(`send ${own}`)).toEqual(['sent', '1']);
    await until('its packet is refused', async () => (await refused()) > before);
    expect(await peer.say(`pending ${far}`)).toEqual(['pending', '0']);
    expect(await innocent.say(`send ${others}`)).toEqual(['sent', '1']);
    expect(await peer.say(`recv ${away}`)).toEqual(['got', '1']);
    expect((await innocent.say(`connect ${port}`)).at(-1)).toMatch(/^\d+$/);
  }));

it('a tree is blocked with who was born before, while it is walked, and after', () =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy: QUIET });
    const root = await Player.start(stand);
    await root.tell('nest');
    const stranger = await Player.start(stand);
    /* each generation tries once, has one child, and ends: the tree is never the same in two walks */
    const dynasty = stand.spawn(compiled('dynasty'), [stand.cgroup]);
    await dynasty.line(/^passed$/);
    await block(stand, '--pid', String(root.pid), '--lineage');
    await block(stand, '--pid', String(dynasty.pid), '--lineage');
    expect([await root.row(2), await root.row(1, 'child connect 127.0.0.1 1')]).toEqual(['--', '-']);
    await until(
      'many more were born',
      () => dynasty.lines.length > 500 + dynasty.lines.lastIndexOf('passed'),
    );
    expect(dynasty.lines.slice(dynasty.lines.indexOf('denied'))).not.toContain('passed');
    expect(await stranger.row(2)).toBe('++');
  }));

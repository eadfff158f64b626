/** What is never blocked, whoever asks: told with the reason, and held in the kernel itself. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AllowEntry, Decision } from '../../src/model/decision.js';
import { compiled } from './fixtures/compile.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';

const enforced = (work: Parameters<typeof withStand>[0], policy = burst()) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy });
    await work(stand);
  });

const refused = async (stand: Stand, reason: RegExp, ...words: string[]) => {
  const { code, stderr } = await stand.cli('block', ...words);
  expect({ words, code, stderr }).toEqual({ words, code: 1, stderr: expect.stringMatching(reason) });
};

const parentOf = (pid: number): number =>
  Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

describe('never blocked', () => {
  it('are PID 1, the agent, and the ancestors of who asks', () =>
    enforced(async (stand) => {
      await refused(stand, /protected.*PID 1/, '--pid', '1');
      await refused(stand, /protected.*the agent itself/, '--pid', String(stand.agent?.pid));
      await refused(stand, /protected.*ancestor/, '--pid', String(process.pid));
      await refused(stand, /protected.*ancestor/, '--pid', String(parentOf(process.pid)));
      await refused(stand, /protected/, '--pid', '1', '--lineage');
      expect(await stand.json<Decision[]>('blocks')).toEqual([]);
    }));

  it('is the root cgroup', () =>
    enforced(async (stand) => {
      await refused(stand, /root cgroup/, '--cgroup', '/');
      expect(await stand.json<Decision[]>('blocks')).toEqual([]);
    }));

  it('is a protected task inside a cgroup that is: it goes free, and is named', () =>
    enforced(async (stand) => {
      const place = stand.makeCgroup('mixed');
      const shell = stand.spawn('/bin/bash', ['--norc']);
      shell.child.stdin?.write(
        `echo $$ > ${place}/cgroup.procs; echo in; read go; ${asks(stand, place)}; read end\n`,
      );
      await shell.line(/^in$/);
      const guilty = await Player.start(stand, { cgroup: place });
      shell.child.stdin?.write('\n');
      await shell.line(/^asked 0$/);
      const [decision] = await stand.json<Decision[]>('blocks');
      expect(decision?.subject.kind).toBe('cgroup');
      expect(decision?.spared?.join()).toContain(`(pid ${shell.pid})`);
      // The command's own shell is free; its children, like anybody there, are not.
      expect(await guilty.row(2)).toBe('--');
      shell.child.stdin?.write('\n');
      shell.child.stdin?.write('(: > /dev/tcp/127.0.0.1/1) 2>&1 | tail -1\n: > /dev/tcp/127.0.0.1/1\n');
      await shell.line(/Operation not permitted/);
      await shell.line(/Connection refused/);
    }));
});

/** What a shell says to have its own cgroup blocked. */
const asks = (stand: Stand, place: string): string => {
  const words = ['block', '--cgroup', place].join(' ');
  return `${process.execPath} ${stand.main} ${words}; echo asked $?`;
};

describe('the allow list', () => {
  const first = async (stand: Stand, ...words: string[]) =>
    (await stand.json<AllowEntry | null>(...words)) ?? undefined;

  it.each(['pid', 'cgroup', 'exe'] as const)('holds back policies and operator by %s', (kind) =>
    enforced(
      async (stand) => {
        const cgroup = stand.makeCgroup('trusted');
        const player = await Player.start(stand, { cgroup });
        const subject = {
          pid: `pid:${player.pid}`,
          cgroup: `cgroup:${cgroup}`,
          exe: `exe:${compiled('player')}`,
        }[kind];
        expect((await stand.cli('allow', 'check', subject)).code).toBe(3);
        expect((await stand.cli('allow', 'add', subject, '--reason', 'trusted')).code).toBe(0);
        expect(await first(stand, 'allow', 'check', subject)).toMatchObject({
          by: 'operator',
          reason: 'trusted',
        });
        expect(await player.row(12)).toBe('+'.repeat(12));
        await refused(stand, /allow list/, '--pid', String(player.pid));
        expect((await stand.cli('allow', 'rm', subject)).code).toBe(0);
        expect((await stand.cli('allow', 'rm', subject)).code).toBe(3);
        expect(await player.row(7)).toBe('+++++--');
      },
      burst({ on: '[connect, send]' }),
    ),
  );

  it('is weaker for nobody while it is new: an entry lifts a block that stands', () =>
    enforced(async (stand) => {
      const player = await Player.start(stand);
      expect(await player.row(6)).toBe('+++++-');
      expect((await stand.cli('allow', 'add', `pid:${player.pid}`, '--for', '2s')).code).toBe(0);
      expect(await player.row(10)).toBe('+'.repeat(10));
      await until(
        'its time is over',
        async () => (await stand.cli('allow', 'check', `pid:${player.pid}`)).code === 3,
      );
    }));
});

/** What a rule matches is told apart in the hook, and rules side by side do not disturb one another. */
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { compiled } from './fixtures/compile.js';
import { Player } from './player.js';
import { burst, type Stand, until, withStand } from './stand.js';

const enforced = (policy: string, work: Parameters<typeof withStand>[0]) =>
  withStand(async (stand) => {
    await stand.start({ mode: 'enforce', policy });
    await work(stand);
  });

/** Is the first attempt refused? Each time by a fresh process, with a rule of limit 0. */
const isMet = async (stand: Stand, words: string, options: { uid?: number; program?: string } = {}) =>
  !(await (await Player.start(stand, options)).attempt(words)).passed;

const rule = (match: string): string =>
  burst({ limit: 0, on: '[connect, send]', extra: `match: {${match}}\n` });

describe('a rule on', () => {
  it('ports meets those in its list and ranges', () =>
    enforced(rule('dst.port: [22, 3306, 8000-8999]'), async (stand) => {
      for (const port of [22, 3306, 8000, 8001, 8500, 8999])
        expect([port, await isMet(stand, `connect 127.0.0.1 ${port}`)]).toEqual([port, true]);
      for (const port of [21, 23, 3305, 3307, 7999, 9000, 65535])
        expect([port, await isMet(stand, `connect 127.0.0.1 ${port}`)]).toEqual([port, false]);
      await stand.reload(rule('dst.port: {not: 8000-8999}'));
      expect(await isMet(stand, 'connect 127.0.0.1 8999')).toBe(false);
      expect(await isMet(stand, 'connect 127.0.0.1 9000')).toBe(true);
    }));

  it('addresses meets its networks, in either family and spelling', () =>
    enforced(rule('dst.ip: [127.77.0.0/16, "::1"]'), async (stand) => {
      for (const ip of ['127.77.1.1', '::ffff:127.77.255.255', '::1', '::'])
        expect([ip, await isMet(stand, `connect ${ip} 9`)]).toEqual([ip, true]);
      for (const ip of ['127.78.0.0', '127.0.0.1', '::ffff:127.76.255.255', '0.0.0.0'])
        expect([ip, await isMet(stand, `connect ${ip} 9`)]).toEqual([ip, false]);
      await stand.reload(rule('dst.ip: {not: [127.77.0.0/16, "::1"]}'));
      expect(await isMet(stand, 'connect 127.77.1.1 9')).toBe(false);
      expect(await isMet(stand, 'connect ::1 9')).toBe(false);
      expect(await isMet(stand, 'connect 127.78.0.0 9')).toBe(true);
      expect(await isMet(stand, 'connect 0.0.0.0 9')).toBe(true);
    }));

  it('users and protocols meets these', () =>
    enforced(rule('uid: [1001, 2000-2002], proto: udp'), async (stand) => {
      for (const uid of [1001, 2000, 2002]) {
        expect(await isMet(stand, 'udp 127.0.0.1 9', { uid })).toBe(true);
        expect(await isMet(stand, 'send 127.0.0.1 9', { uid })).toBe(true);
        expect(await isMet(stand, 'connect 127.0.0.1 9', { uid })).toBe(false);
      }
      for (const uid of [0, 1000, 1002, 2003])
        expect([uid, await isMet(stand, 'udp 127.0.0.1 9', { uid })]).toEqual([uid, false]);
    }));

  it('an executable meets that file, and the one that replaces it within seconds', () =>
    withStand(async (stand) => {
      const [named, other, next] = ['named', 'other', 'next'].map((name) => join(stand.dir, name));
      for (const path of [named, other, next]) copyFileSync(compiled('player'), path ?? '');
      await stand.start({ mode: 'enforce', policy: rule(`exe: ${named}`) });
      const words = 'connect 127.0.0.1 9';
      expect(await isMet(stand, words, { program: named as string })).toBe(true);
      expect(await isMet(stand, words, { program: other as string })).toBe(false);
      expect(await isMet(stand, words, { program: next as string })).toBe(false);
      renameSync(next as string, named as string);
      await until('the new file is met', () => isMet(stand, words, { program: named as string }));
      rmSync(named as string);
      expect(await isMet(stand, words, { program: other as string })).toBe(false);
      await stand.reload(rule(`exe: {not: ${other}}`));
      expect(await isMet(stand, words, { program: other as string })).toBe(false);
      expect(await isMet(stand, words)).toBe(true);
    }));
});

describe('rules side by side', () => {
  const ALLOW = `kerngate: 1
policy: spare
summary: Port 53 is free.
severity: low
priority: 900
on: connect
match: {dst.port: 53}
then: {allow: true}
---
`;

  it('an allow of higher priority is not counted, one of lower changes nothing', () =>
    enforced(ALLOW + burst(), async (stand) => {
      const first = await Player.start(stand);
      expect(await first.row(20, 'connect 127.0.0.1 53')).toBe('+'.repeat(20));
      expect(await first.row(6)).toBe('+++++-');
      await stand.reload(ALLOW.replace('priority: 900', 'priority: 100') + burst());
      const second = await Player.start(stand);
      expect(await second.row(6, 'connect 127.0.0.1 53')).toBe('+++++-');
    }));

  it('what one denies feeds no window of another', () =>
    enforced(
      [
        burst({ name: 'a-wide', limit: 4, by: 'cgroup' }),
        burst({ name: 'b-own', limit: 2 }),
        burst({ name: 'c-user', limit: 16, by: 'user', block: 'process' }),
      ].join('---\n'),
      async (stand) => {
        const [one, two, three] = [
          await Player.start(stand),
          await Player.start(stand),
          await Player.start(stand),
        ];
        // Of the first, two pass and 100 are refused: the cgroup's window holds two.
        expect(await one.row(102)).toBe(`++${'-'.repeat(100)}`);
        expect(await two.row(3)).toBe('++-');
        expect(await three.row(2)).toBe('--');
        const { counters } = await stand.json<Status>('status');
        // The crossing of b-own was first counted by a-wide; the one after it met a-wide alone.
        expect(counters.rolled_back).toBe(1);
        const other = stand.makeCgroup('other');
        // Of the user's sixteen four are used, and no attempt that was refused.
        for (const left of [2, 2])
          expect(await (await Player.start(stand, { cgroup: other })).row(left)).toBe('++');
        const third = stand.makeCgroup('third');
        for (const left of [2, 2])
          expect(await (await Player.start(stand, { cgroup: third })).row(left)).toBe('++');
        const fourth = stand.makeCgroup('fourth');
        for (const left of [2, 2])
          expect(await (await Player.start(stand, { cgroup: fourth })).row(left)).toBe('++');
        expect(await (await Player.start(stand, { cgroup: stand.makeCgroup('fifth') })).row(1)).toBe('-');
      },
    ));
});

/** The ways, their documentation and what is promised of them name each other. */
import { describe, expect, it } from 'vitest';
import { openWays } from '../../../src/kernel/promises.js';
import type { DenyScope, Level } from '../../../src/model/decision.js';
import { filesBelow, read } from '../structure/tree.js';

/** As the prober has them: rows of tables in C. */
const WAYS = filesBelow('native/ways', /\.c$/).flatMap((file) =>
  [...read(file).matchAll(/^\t\{ "([a-z0-9-]+)", "[^"]+", "[^"]*", /gm)].map(([, name = '']) => name),
);
const LEVELS: readonly Level[] = ['lsm', 'fmod_ret', 'cgroup'];
const SCOPES: readonly DenyScope[] = ['new', 'all', 'isolate'];
const names = (level: Level, deny: DenyScope, isSevered = false): string[] =>
  openWays({ level, deny, isSevered }).map(({ way }) => way);

it('there are 91 ways, each once', () => {
  expect([WAYS.length, new Set(WAYS).size]).toEqual([91, 91]);
});

it('each is documented, and nothing else is', () => {
  const documented = [...read('docs/selftest.md').matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(
    ([, name]) => name,
  );
  expect(documented).toEqual([...new Set(documented)]);
  expect([...documented].sort()).toEqual([...WAYS].sort());
});

describe('what is open by design', () => {
  it.each(LEVELS.flatMap((level) => SCOPES.map((deny) => [level, deny] as const)))(
    'at %s with %s are ways that exist, each once, with a sentence',
    (level, deny) => {
      const open = openWays({ level, deny });
      expect(open.filter(({ way }) => !WAYS.includes(way))).toEqual([]);
      expect(new Set(open.map(({ way }) => way)).size).toBe(open.length);
      for (const { reason } of open) expect(reason).toMatch(/^[A-Za-z].{15,140}[^.]$/);
    },
  );

  it('is nothing at the upper levels when a subject is isolated', () => {
    expect(names('lsm', 'isolate')).toEqual([]);
    expect(names('fmod_ret', 'isolate')).toEqual([]);
  });

  it('is netlink, socket pairs and AF_UNIX when all is denied there', () => {
    const local = [
      'helper-new',
      'helper-pre',
      'netlink',
      'socketpair',
      'unix-dgram',
      'unix-est',
      'unix-stream',
    ];
    expect(names('lsm', 'all').sort()).toEqual(local);
    expect(names('fmod_ret', 'all').sort()).toEqual(local);
  });

  it('is at most fifteen ways at the cgroup level', () => {
    expect(names('cgroup', 'isolate')).toHaveLength(15);
    expect(names('cgroup', 'all')).toHaveLength(15);
  });

  it('shrinks with each scope, and with what is severed', () => {
    for (const level of LEVELS) {
      const [fresh, all, isolate] = SCOPES.map((deny) => names(level, deny));
      expect(all?.filter((way) => !fresh?.includes(way))).toEqual([]);
      expect(isolate?.filter((way) => !all?.includes(way))).toEqual([]);
      const severed = names(level, 'new', true);
      expect(
        severed.filter((way) => /^(uring-)?est-|^udp-est|accept-pre|inherit|move-est/.test(way)),
      ).toEqual([]);
      expect(severed.length).toBeLessThan(fresh?.length ?? 0);
    }
  });
});

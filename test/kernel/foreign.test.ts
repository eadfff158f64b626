/** Programs of others on the cgroups of the scope: reported by status and doctor, and named when they keep us out. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { FOREIGN, type ForeignProgram, foreignProgram } from './foreign.js';
import { burst, type Stand, withStand } from './stand.js';

interface Check {
  readonly check: string;
  readonly state: string;
  readonly detail: string;
  readonly remedy?: string;
}

/** A stand whose scope is a child, so that a cgroup above it is the test's too. */
const withForeign = (work: (stand: Stand, scope: string, foreign: ForeignProgram) => Promise<void>) =>
  withStand(async (stand) => {
    const scope = stand.makeCgroup('scope.slice');
    const foreign = foreignProgram();
    try {
      await work(stand, scope, foreign);
    } finally {
      foreign.close();
    }
  });

const start = (stand: Stand, scope: string) =>
  stand.start({ mode: 'enforce', policy: burst({ limit: 0 }), args: ['--cgroup-root', scope] });
const listed = async (stand: Stand): Promise<Status['foreign']> =>
  (await stand.json<Status>('status')).foreign;
const doctor = (stand: Stand, scope: string): { code: number | null; checks: Check[] } => {
  const { status, stdout } = spawnSync(process.execPath, [stand.main, '-o', 'json', 'doctor'], {
    env: { ...stand.env(), KERNGATE_CGROUP_ROOT: scope },
    encoding: 'utf8',
  });
  const checks = JSON.parse(stdout) as Check[];
  return { code: status, checks: checks.filter(({ check }) => check === 'foreign programs') };
};

const denied = async (stand: Stand, cgroup: string): Promise<void> => {
  const attempt = stand.connectorIn(cgroup, 'loop', 3);
  expect(await attempt.line(/^passed/)).toMatch(/^passed 0 denied 3 /);
};

describe('a program beside ours', () => {
  it.each(['on the scope', 'above it'])('%s, attached with multi, is told and does no harm', (where) =>
    withForeign(async (stand, scope, foreign) => {
      const cgroup = where === 'above it' ? stand.cgroup : scope;
      expect(foreign.attach(cgroup, 'multi')).toBe(true);
      await start(stand, scope);
      await denied(stand, scope);
      const means = expect.stringMatching(/runs beside/);
      const row = {
        cgroup,
        attach: 'connect4',
        program: FOREIGN,
        id: foreign.id,
        how: 'multi',
        blocks: false,
        means,
      };
      expect(await listed(stand)).toEqual([row]);
      expect((await stand.cli('status')).stdout).toMatch(
        new RegExp(
          `^foreign +program ${FOREIGN} \\(id ${foreign.id}\\) on ${cgroup}, connect4, multi: it runs`,
          'm',
        ),
      );
      const { code, checks } = doctor(stand, scope);
      expect({ code, checks }).toMatchObject({ code: 0, checks: [{ state: 'note' }] });
      foreign.detach(cgroup);
      expect(await listed(stand)).toEqual([]);
      expect(doctor(stand, scope).checks).toMatchObject([{ state: 'ok' }]);
    }),
  );

  it.each(['alone', 'override'] as const)('below the scope, attached %s, leaves ours in force', (how) =>
    withForeign(async (stand, scope, foreign) => {
      const child = join(scope, 'child');
      execFileSync('mkdir', [child]);
      try {
        expect(foreign.attach(child, ...(how === 'alone' ? [] : ([how] as const)))).toBe(true);
        await start(stand, scope);
        await denied(stand, child);
        expect(await listed(stand)).toMatchObject([{ cgroup: child, program: FOREIGN, how, blocks: false }]);
        foreign.detach(child);
      } finally {
        execFileSync('rmdir', [child]);
      }
    }),
  );

  it('above the scope, attached with override, is replaced by ours there', () =>
    withForeign(async (stand, scope, foreign) => {
      expect(foreign.attach(stand.cgroup, 'override')).toBe(true);
      await start(stand, scope);
      await denied(stand, scope);
      expect(await listed(stand)).toMatchObject([
        { how: 'override', blocks: false, means: expect.stringMatching(/takes its place/) },
      ]);
      foreign.detach(stand.cgroup);
    }));
});

describe('a program that allows none beside it', () => {
  it.each([
    ['on the scope', 'alone'],
    ['on the scope', 'override'],
    ['above it', 'alone'],
  ] as const)('%s, attached %s, is named by the start it prevents, and by doctor', (where, how) =>
    withForeign(async (stand, scope, foreign) => {
      const cgroup = where === 'above it' ? stand.cgroup : scope;
      expect(foreign.attach(cgroup, ...(how === 'alone' ? [] : ([how] as const)))).toBe(true);
      const text = new RegExp(`program ${FOREIGN} \\(id ${foreign.id}\\) on ${cgroup}, connect4, ${how}`);
      const agent = stand.launch({ mode: 'enforce', policy: burst(), args: ['--cgroup-root', scope] });
      await expect(agent.line(/^ready /)).rejects.toThrow(text);
      expect(agent.lines.join('\n')).toContain(`bpftool cgroup detach ${cgroup} connect4 id ${foreign.id}`);
      const { code, checks } = doctor(stand, scope);
      expect({ code, checks }).toMatchObject({
        code: 6,
        checks: [
          { state: 'missing', detail: expect.stringMatching(text), remedy: expect.stringMatching(/bpftool/) },
        ],
      });
      foreign.detach(cgroup);
      await start(stand, scope);
      await denied(stand, scope);
    }),
  );
});

/** Executables the hooks cannot tell by their file: status and doctor name each, with its remedy. */
import { expect, it } from 'vitest';
import type { Status } from '../../src/control/api.js';
import { burst, withStand } from './stand.js';

it('a launcher, a rule and a protection on a file system of another kind are told, and are no weakness', () =>
  withStand(async (stand) => {
    const config = [
      'launchers: [/proc/version, /nowhere/at/all]',
      'allow: [{subject: "exe:/proc/uptime", reason: a test}]',
      '',
    ].join('\n');
    await stand.start({ policy: burst({ extra: 'match: {exe: /proc/stat}\n' }), config });
    const told = [
      expect.stringMatching(/^launcher \/proc\/version lies on proc, .+ Have it on .+\.$/),
      expect.stringMatching(/^policy burst: \/proc\/stat lies on proc, .+ Have it on .+\.$/),
      expect.stringMatching(/^allow exe:\/proc\/uptime spares nobody .+ Allow the unit, .+\.$/),
    ];
    const { notes, degraded } = await stand.json<Status>('status');
    expect([notes, degraded]).toEqual([told, []]);
    expect((await stand.cli('status')).stdout).toMatch(/^note +launcher \/proc\/version/m);

    const env = [`KERNGATE_CONFIG=${stand.dir}/kerngate.yaml`, `KERNGATE_POLICIES=${stand.policyFile}`];
    const doctor = stand.spawn('env', [...env, process.execPath, stand.main, '-o', 'json', 'doctor']);
    const rows = JSON.parse(await doctor.line(/^\[/)) as {
      check: string;
      state: string;
      detail: string;
      remedy: string;
    }[];
    const files = rows.filter(({ check }) => check === 'executables');
    expect(files.map(({ detail, remedy }) => `${detail}. ${remedy}`)).toEqual(told);
    expect(files.map(({ state }) => state)).toEqual(['note', 'note', 'note']);
  }));

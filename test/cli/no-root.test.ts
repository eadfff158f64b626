/** What a user who is not root is told: what is needed, why, and the exit code. */
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nowhere, type Result, run } from './program.js';

/** Runs as a user without rights: as we are, or as nobody when we are root. */
const asUser = (args: readonly string[], env = nowhere()): Promise<Result> =>
  run(
    args,
    env,
    process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [],
  );

describe('without root', () => {
  it.each([['run'], ['run --mode enforce'], ['doctor']])('%s says what it needs and why', async (line) => {
    const { code, stdout, stderr } = await asUser(line.split(' '));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'kerngate: this needs root: kerngate loads BPF programs and attaches them to cgroups\n' +
        '  Run it as root, for example with sudo.\n',
    );
  });

  it.each([['unblock --all'], ['panic']])(
    '%s does not claim to have looked where it may not',
    async (line) => {
      const env = nowhere();
      mkdirSync(env.KERNGATE_PIN);
      mkdirSync(env.KERNGATE_STATE);
      const { code, stderr } = await asUser(line.split(' '), env);
      expect(code).toBe(1);
      expect(stderr).toMatch(/needs root|Run the command as root/);
    },
  );

  it.each([['status'], ['blocks'], ['block --pid 1']])('%s finds no agent: exit 4', async (line) => {
    const env = { ...nowhere(), KERNGATE_SOCKET: '/nowhere/kerngate.sock' };
    expect((await asUser(line.split(' '), env)).code).toBe(4);
  });

  it('checks policies all the same', async () => {
    expect((await asUser(['policy', 'check', 'policies'])).code).toBe(0);
  });
});

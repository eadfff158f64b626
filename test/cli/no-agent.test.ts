/** What the built program does where no agent runs. */
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { nowhere, run } from './program.js';

describe('without an agent', () => {
  it.each([
    ['status'],
    ['events'],
    ['events --follow'],
    ['findings'],
    ['sessions'],
    ['blocks'],
    ['block --pid 1'],
    ['allow list'],
    ['allow check pid:1'],
    ['mode'],
    ['mode enforce'],
    ['confirm'],
    ['policy list'],
    ['policy reload'],
  ])('%s is exit 4 and says what to do', async (line) => {
    const env = nowhere();
    const { code, stderr } = await run(line.split(' '), env);
    expect(code).toBe(4);
    expect(stderr).toContain(`no agent answers on ${env.KERNGATE_SOCKET}`);
    expect(stderr).toContain('kerngate run');
  });

  it('takes the socket of the flag over that of the environment', async () => {
    const { stderr } = await run(['status', '--socket', '/nowhere/flag.sock']);
    expect(stderr).toContain('/nowhere/flag.sock');
  });
});

describe('unblock without agent and pins', () => {
  it('finds nothing blocked, in every format', async () => {
    expect(await run(['unblock', '--all'])).toMatchObject({
      code: 0,
      stdout: 'nothing is blocked\n',
      stderr: '',
    });
    expect(await run(['unblock', '--pid', '1'])).toMatchObject({ code: 0 });
    expect(await run(['-o', 'json', 'unblock', '--all'])).toMatchObject({ code: 0, stdout: '[]\n' });
    expect(await run(['-o', 'raw', 'unblock', '--all'])).toMatchObject({ code: 0, stdout: '' });
  });

  it('does not know an id', async () => {
    const { code, stderr } = await run(['unblock', '0123456789abcdef']);
    expect(code).toBe(3);
    expect(stderr).toContain('no block has the id 0123456789abcdef');
  });

  it('is not claimed where it cannot look', async () => {
    const env = nowhere();
    const loop = { ...env, KERNGATE_PIN: `${env.KERNGATE_PIN}/${'x'.repeat(300)}` };
    mkdirSync(env.KERNGATE_PIN);
    const { code, stderr } = await run(['unblock', '--all'], loop);
    expect(code).toBe(1);
    expect(stderr).toContain('cannot look into');
  });
});

describe('panic without agent and pins', () => {
  it('says that nothing is blocked, as often as asked', async () => {
    const env = nowhere();
    for (let i = 0; i < 2; i++) {
      const { code, stdout } = await run(['panic'], env);
      expect(code).toBe(0);
      expect(stdout).toContain('nothing is blocked');
    }
    expect(JSON.parse((await run(['-o', 'json', 'panic'], env)).stdout)).toEqual({ lifted: 0, agent: false });
  });
});

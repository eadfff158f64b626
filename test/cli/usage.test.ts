/** Help, usage errors and what needs no agent, from the built program. */
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/registry.js';
import { packageVersion } from '../../src/lib/version.js';
import { run } from './program.js';

const PATHS = COMMANDS.flatMap(({ name, subcommands = [] }) => [
  [name],
  ...subcommands.map((sub) => [name, sub.name]),
]);

describe('help', () => {
  it.each(PATHS.map((path) => [path.join(' '), path] as const))(
    '%s: a summary and an example',
    async (name, path) => {
      const { code, stdout, stderr } = await run([...path, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const [usage, , summary] = stdout.split('\n');
      expect(usage).toMatch(new RegExp(`^Usage: kerngate ${name}\\b`));
      expect(summary).toMatch(/^[A-Z].*\S/);
      expect(stdout).toContain(`Example:\n  $ kerngate ${path[0]}`);
    },
  );

  it('of the program lists every command', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    for (const { name } of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  });
});

describe('usage errors', () => {
  const cases: readonly [string[], RegExp][] = [
    [[], /Usage: kerngate/],
    [['blok'], /unknown command 'blok'\n\(Did you mean block\?\)/],
    [['policy'], /Usage: kerngate policy/],
    [['policy', 'chek'], /Did you mean check\?/],
    [['status', '--sokcet', 'x'], /Did you mean --socket\?/],
    [['status', 'extra'], /too many arguments/],
    [['-o', 'xml', 'status'], /Allowed choices are table, json, raw/],
    [['block'], /no target given/],
    [['block', '--pid', '1', '--unit', 'a.service'], /more than one target given/],
    [['block', '--pid', 'x'], /x is no process id/],
    [['block', '--pid', '1', '--for', '10'], /10 is no duration/],
    [['block', '--ip', 'nowhere'], /nowhere is no IP address/],
    [['block', '--unit', 'a.service', '--lineage'], /--lineage needs --pid/],
    [['block', '--pid', '1', '--deny', 'most'], /Allowed choices are new, all, isolate/],
    [['unblock'], /no filter given/],
    [['unblock', '0123456789abcdef', '--all'], /more than one filter given/],
    [['blocks', 'lst'], /Allowed choices are list/],
    [['mode', 'off'], /Allowed choices are audit, enforce/],
    [['mode', 'audit', '--confirm-within', '5m'], /goes with enforce/],
    [['events', '--kind', 'conect'], /Allowed choices are exec/],
    [['record', '-'], /a capture needs a file with a name/],
    [['allow', 'add'], /missing required argument 'subject'/],
    [['allow', 'check', 'nginx'], /cannot tell what nginx is/],
  ];

  it.each(cases)('%j is exit 2, said on stderr with the usage', async (args, message) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toContain('Usage: kerngate');
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it('is not a way to send escapes to the terminal', async () => {
    const { stderr } = await run(['\u001b[2Jblock']);
    expect(stderr).toContain("unknown command 'block'");
    expect(stderr).not.toContain('\u001b');
  });
});

describe('version', () => {
  it('is the same everywhere', async () => {
    const version = packageVersion();
    expect((await run(['--version'])).stdout).toBe(`${version}\n`);
    expect((await run(['version', '-o', 'raw'])).stdout).toBe(`${version}\n`);
    expect((await run(['version'])).stdout).toMatch(new RegExp(`^kerngate ${version} \\(node v`));
    expect(JSON.parse((await run(['version', '-o', 'json'])).stdout)).toMatchObject({ version });
  });
});

/** `policy check` and `policy schema` from the built program: no agent, no root, no owner test. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scratchFolder } from '../unit/control/fake-api.js';
import { nowhere, run } from './program.js';

const GOOD = `kerngate: 1
policy: burst-of-mine
summary: More than five connections within ten seconds.
severity: medium
on: connect
detect:
  burst: {limit: 5, within: 10s, by: process}
then:
  block: process
`;

const write = (name: string, text: string): string => {
  const path = join(scratchFolder(), name);
  writeFileSync(path, text);
  return path;
};

describe('policy check', () => {
  it('says of a good policy where it is enforced', async () => {
    const path = write('good.yaml', GOOD);
    chmodSync(path, 0o666);
    const { code, stdout, stderr } = await run(['policy', 'check', path]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^NAME +WHERE +WHY\nburst-of-mine +kernel +\S/);
    const raw = await run(['-o', 'raw', 'policy', 'check', path]);
    expect(raw.stdout.split('\t').slice(0, 2)).toEqual(['burst-of-mine', 'kernel']);
  });

  it('names the place of what is wrong, with exit 5', async () => {
    const path = write('bad.yaml', GOOD.replace('severity:', 'severty:'));
    const { code, stderr } = await run(['policy', 'check', path]);
    expect(code).toBe(5);
    expect(stderr).toMatch(new RegExp(`^${path}:4:1: .*severty`, 'm'));
    expect(stderr).toContain("did you mean 'severity'?");
    const json = await run(['-o', 'json', 'policy', 'check', path]);
    expect(json.code).toBe(5);
    expect(JSON.parse(json.stdout).problems[0]).toMatchObject({ file: path, line: 4, column: 1 });
  });

  it('checks the good ones beside a bad one', async () => {
    const bad = write('bad.yaml', 'kerngate: [');
    const { code, stdout, stderr } = await run(['policy', 'check', write('good.yaml', GOOD), bad]);
    expect(code).toBe(5);
    expect(stdout).toContain('burst-of-mine');
    expect(stderr).toContain(`${bad}:1:`);
  });

  it('is exit 5 for a file that is not there', async () => {
    const { code, stderr } = await run(['policy', 'check', '/nowhere/x.yaml']);
    expect(code).toBe(5);
    expect(stderr).toContain('/nowhere/x.yaml:1:1:');
  });

  it('takes the configured set when no path is given', async () => {
    const env = { ...nowhere(), KERNGATE_POLICIES: write('good.yaml', GOOD) };
    const { code, stdout } = await run(['policy', 'check'], env);
    expect(code).toBe(0);
    expect(stdout).toContain('burst-of-mine');
  });
});

describe('policy schema', () => {
  it('is a JSON Schema that knows the keys of a policy', async () => {
    const { code, stdout } = await run(['policy', 'schema']);
    expect(code).toBe(0);
    const schema = JSON.parse(stdout);
    expect(schema.$schema).toContain('json-schema.org');
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['policy', 'on', 'then']));
  });
});

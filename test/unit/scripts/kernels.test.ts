/** Which kernel packages are taken: pins, the newest that matches, and the archives they come from. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { shell } from './shell.js';

const folder = mkdtempSync(join(tmpdir(), 'kerngate-kernels-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const newest = (series: string, names: readonly string[]) =>
  shell(['newest_kernel', series], { input: `${names.join('\n')}\n` });

const SPLIT = ['base', 'binary', 'modules'];

describe('the newest kernel', () => {
  it('is the highest of its series, whatever the order', () => {
    const names = ['linux-image-5.10.0-9-cloud-amd64', 'linux-image-5.10.0-46-cloud-amd64'];
    for (const list of [names, [...names].reverse()])
      expect(newest('5.10', list).lines).toEqual(['linux-image-5.10.0-46-cloud-amd64']);
  });

  it('is of its series: 6.1 is neither 6.12 nor 5.10 nor a backport to another', () => {
    const names = [
      'linux-image-6.12.107+deb13-cloud-amd64',
      'linux-image-5.10.0-46-cloud-amd64',
      'linux-image-6.1.0-50-cloud-amd64',
      'linux-image-16.1.0-1-cloud-amd64',
    ];
    expect(newest('6.1', names).lines).toEqual(['linux-image-6.1.0-50-cloud-amd64']);
    expect(newest('6.12', names).lines).toEqual(['linux-image-6.12.107+deb13-cloud-amd64']);
  });

  it('is no debug package, no unsigned one, no meta package, no other flavour', () => {
    const names = [
      'linux-image-6.1.0-60-cloud-amd64-dbg',
      'linux-image-6.1.0-60-cloud-amd64-unsigned',
      'linux-image-6.1.0-60-amd64',
      'linux-image-cloud-amd64',
      'linux-image-6.1.0-60-cloud-arm64',
      'linux-headers-6.1.0-60-cloud-amd64',
    ];
    expect(newest('6.1', names)).toMatchObject({ code: 3, lines: [] });
    expect(newest('6.1', [])).toMatchObject({ code: 3, lines: [] });
  });

  it('comes in three parts where it is split', () => {
    const version = '7.2.13+deb14-cloud-amd64';
    const names = ['image', ...SPLIT].map((part) => `linux-${part}-${version}`);
    expect(newest('7.2', names).lines).toEqual(SPLIT.map((part) => `linux-${part}-${version}`));
  });

  it('of 7.2 is the newest of all', () => {
    const names = ['linux-binary-7.2.13+deb14-cloud-amd64', 'linux-binary-7.10.2+deb14-cloud-amd64'];
    expect(newest('7.2', names).lines[1]).toBe('linux-binary-7.10.2+deb14-cloud-amd64');
  });
});

describe('pins', () => {
  const pins = (text: string, series: string) => {
    const file = join(folder, 'pins');
    writeFileSync(file, text);
    return shell(['pins', series], { env: { KERNGATE_KERNEL_PINS: file } });
  };
  const sum = 'a1'.repeat(32);

  it('are those of the series, without comments', () => {
    const text = `# x\n\n6.1 one 1-1 ${sum}\n6.12 two 2-1 ${sum}\n6.1 three 3-1 ${sum}\n`;
    expect(pins(text, '6.1').lines).toEqual([`one 1-1 ${sum}`, `three 3-1 ${sum}`]);
    expect(pins(text, '5.10').lines).toEqual([]);
  });

  it.each([
    ['a short sum', '6.1 one 1-1 abc'],
    ['a missing version', `6.1 one ${sum}`],
    ['a word too many', `6.1 one 1-1 ${sum} x`],
    ['a sum of other letters', `6.1 one 1-1 ${'g1'.repeat(32)}`],
  ])('with %s are an error that names the line', (_what, line) => {
    const { code, said } = pins(`# x\n${line}\n`, '6.1');
    expect(code).not.toBe(0);
    expect(said).toContain(`${folder}/pins:2: not \`series package version sha256\``);
  });

  it('of the tree name a kernel for each series', () => {
    for (const series of ['5.10', '6.1', '6.12', '7.2'])
      expect(shell(['pins', series]).lines.length).toBeGreaterThan(0);
  });
});

describe('archives', () => {
  const etc = join(folder, 'etc');
  mkdirSync(join(etc, 'sources.list.d'), { recursive: true });
  writeFileSync(
    join(etc, 'sources.list.d/a.sources'),
    '# URIs: http://no.example\nTypes: deb\nURIs: http://one.example/debian\n http://two.example/debian\nSuites: x\n',
  );
  writeFileSync(
    join(etc, 'sources.list'),
    'deb [arch=amd64] http://one.example/debian x main\n# deb http://no.example x main\n' +
      'deb cdrom:[Debian] x main\ndeb http://three.example/debian-security x-security main\n',
  );
  const env = { KERNGATE_APT_ETC: etc };

  it('are those of the machine, each once, in order', () => {
    expect(shell(['apt_mirrors'], { env }).lines).toEqual([
      'http://one.example/debian',
      'http://two.example/debian',
      'http://three.example/debian-security',
    ]);
  });

  it('give a release and its security updates, signed by Debian', () => {
    const lines = (suite: string) =>
      shell(['kernel_sources', 'http://one.example/debian', suite], { env }).lines;
    const signed = 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]';
    expect(lines('bookworm')).toEqual([
      `${signed} http://one.example/debian bookworm main`,
      `${signed} http://three.example/debian-security bookworm-security main`,
    ]);
    expect(lines('sid')).toEqual([`${signed} http://one.example/debian sid main`]);
  });
});

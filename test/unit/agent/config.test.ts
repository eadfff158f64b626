/** kerngate.yaml: defaults, what is refused, and that each refusal names the very place. */
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { loadConfig, parseConfig } from '../../../src/agent/config.js';
import { LAUNCHERS } from '../../../src/lib/launchers.js';
import { BROKERS, LOGS } from '../../../src/lib/locals.js';
import { EXIT, KerngateError } from '../../../src/model/error.js';
import { scratchFolder } from '../control/fake-api.js';

const DEFAULTS = {
  telemetry: { connect: 'auto' },
  limits: { windows: 32_768 },
  breaker: { blocks: 60, within: '1m', units: '25%' },
  shield: false,
  launchers: [...LAUNCHERS],
  locals: { brokers: [...BROKERS], logs: [...LOGS] },
  allow: [],
};

/** The message of a refusal; fails when nothing is refused or something else is thrown. */
const refusal = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (!(error instanceof KerngateError)) throw error;
    expect(error.exitCode).toBe(EXIT.invalid);
    expect(error.remedy).toMatch(/nothing was changed/);
    return error.message;
  }
  throw new Error('it was accepted');
};

const problemsOf = (text: string): string => refusal(() => parseConfig(text, 'kg.yaml'));

describe('what is read', () => {
  it.each(['', '# nothing\n', '---\n', '{}'])('%j is the defaults', (text) => {
    expect(parseConfig(text, 'kg.yaml')).toEqual(DEFAULTS);
  });

  it('takes each key, and fills in the rest of its mapping', () => {
    const text = `mode: enforce
cgroup_root: /sys/fs/cgroup/web.slice
telemetry: {connect: tracepoint}
limits: {windows: 64, crossings: 65536}
breaker: {blocks: off, units: 50%}
shield: true
launchers: [/usr/sbin/sshd]
locals: {brokers: [/run/own.sock]}
allow:
  - {subject: "unit:sshd.service", reason: the way in}
`;
    expect(parseConfig(text, 'kg.yaml')).toEqual({
      mode: 'enforce',
      cgroup_root: '/sys/fs/cgroup/web.slice',
      telemetry: { connect: 'tracepoint' },
      limits: { windows: 64, crossings: 65_536 },
      breaker: { blocks: 'off', within: '1m', units: '50%' },
      shield: true,
      launchers: ['/usr/sbin/sshd'],
      locals: { brokers: ['/run/own.sock'], logs: [...LOGS] },
      allow: [{ subject: 'unit:sshd.service', reason: 'the way in' }],
    });
  });

  it('follows an alias', () => {
    const text = 'launchers: [&d /usr/sbin/sshd, *d]\n';
    expect(parseConfig(text, 'kg.yaml').launchers).toEqual(['/usr/sbin/sshd', '/usr/sbin/sshd']);
  });
});

describe('what is refused, at its place', () => {
  test.each([
    ['mod: audit\n', "kg.yaml:1:1: unknown key 'mod' (did you mean 'mode'?)"],
    ['mode: audit\nzebra: 1\n', "kg.yaml:2:1: unknown key 'zebra'"],
    ['limits:\n  windows: 64\n  window: 3\n', "kg.yaml:3:3: unknown key 'window' (did you mean 'windows'?)"],
    // The word stands in a comment, in a value and as another map's key before the mistake.
    [
      '# connect: x\ncgroup_root: /connect\ntelemetry: {connect: auto}\nconnect: auto\n',
      "kg.yaml:4:1: unknown key 'connect'",
    ],
    [
      'allow:\n  - subject: unit:a.service\n    reason: x\n  - {subject: unit:b.service, resaon: y}\n',
      "kg.yaml:4:31: unknown key 'resaon' (did you mean 'reason'?)",
    ],
    ['mode: loud\n', "kg.yaml:1:7: 'loud' is not one of audit, enforce"],
    ['mode: [audit]\n', 'kg.yaml:1:7: expected one of audit, enforce, found a list'],
    ['cgroup_root: web\n', 'kg.yaml:1:14: expected an absolute path'],
    ['cgroup_root: "/a\\0b"\n', 'kg.yaml:1:14: a path holds no NUL'],
    ['limits: {windows: 3}\n', 'kg.yaml:1:19: windows must be a whole number from 16 to 1048576'],
    [
      'limits: {windows: many}\n',
      "kg.yaml:1:19: windows must be a whole number from 16 to 1048576, found 'many'",
    ],
    [
      'limits: {events: 100000}\n',
      'kg.yaml:1:18: a ring has a power of two of bytes, from 65536 to 1073741824',
    ],
    ['breaker: {blocks: 0}\n', 'kg.yaml:1:19: blocks must be off or a whole number from 1 to 10000'],
    ['breaker: {blocks: no}\n', 'kg.yaml:1:19: blocks must be off or a whole number from 1 to 10000'],
    ['breaker: {within: 0s}\n', 'kg.yaml:1:19: expected a duration from 1s to 1d, such as 1m'],
    ['breaker: {units: 0.25}\n', "kg.yaml:1:18: expected off or a share from 1% to 99%, found '0.25'"],
    ['telemetry: auto\n', "kg.yaml:1:12: expected a mapping, found 'auto'"],
    ['launchers:\n  - /usr/sbin/sshd\n  - sshd\n', 'kg.yaml:3:5: expected an absolute path'],
    ['launchers: [22]\n', "kg.yaml:1:13: expected a text, found '22' (write it in quotes)"],
    ['allow: [{subject: unit:a.service}]\n', "kg.yaml:1:9: missing key 'reason'"],
    [
      'allow: [{subject: nginx, reason: x}]\n',
      'kg.yaml:1:19: expected KIND:NAME, such as unit:sshd.service or exe:/usr/sbin/sshd',
    ],
    ['mode: audit\nmode: enforce\n', 'kg.yaml:2:1: this key is written twice'],
    ['- mode\n', 'kg.yaml:1:1: expected a mapping, found a list'],
    ['mode: audit\n---\nmode: enforce\n', 'kg.yaml:3:1: a configuration is one document'],
    ['__proto__: {mode: audit}\n', "kg.yaml:1:1: unknown key '__proto__'"],
  ])('%j', (text, message) => {
    expect(problemsOf(text)).toBe(message);
  });

  it('tells all that is wrong, in the order of the file', () => {
    expect(problemsOf('modes: x\nlimits: {windows: 1}\nlaunchers: [a]\n').split('\n')).toEqual([
      "kg.yaml:1:1: unknown key 'modes' (did you mean 'mode'?)",
      'kg.yaml:2:19: windows must be a whole number from 16 to 1048576',
      'kg.yaml:3:13: expected an absolute path',
    ]);
  });

  it('names the place of a YAML mistake', () => {
    expect(problemsOf('mode: audit\nlimits: {windows: 64\n')).toMatch(/^kg\.yaml:\d+:\d+: YAML: /);
  });

  it('cannot be made to print without end, or control bytes', () => {
    const text = Array.from({ length: 500 }, (_, i) => `"\\e[2Jk${i}": 1\n`).join('');
    const lines = problemsOf(text).split('\n');
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe("kg.yaml:1:1: unknown key '?[2Jk0'");
  });
});

describe('what would stall a careless reader', () => {
  it('an alias bomb', () => {
    const levels = Array.from({ length: 9 }, (_, i) => {
      const items = Array.from({ length: 9 }, () => (i === 0 ? 'x' : `*l${i - 1}`)).join(', ');
      return `l${i}: &l${i} [${items}]\n`;
    });
    expect(problemsOf(levels.join(''))).toMatch(/^kg\.yaml:\d+:\d+: the document has more than 50 aliases$/);
  });

  it.each([
    ['[', 'flow lists'],
    ['{a: ', 'flow mappings'],
    ['- ', 'block lists'],
  ])('nesting without end: %j (%s)', (part) => {
    expect(problemsOf(`launchers: \n  ${part.repeat(50_000)}`)).toMatch(/nested deeper than 16 levels/);
  });

  it('a file of megabytes', () => {
    expect(problemsOf(`# ${'x'.repeat(300_000)}\n`)).toContain('longer than 262144 characters');
  });
});

describe('whose file it is', () => {
  const file = (text = 'mode: audit\n'): string => {
    const path = join(scratchFolder(), 'kerngate.yaml');
    writeFileSync(path, text, { mode: 0o644 });
    return path;
  };
  const own = { checkOwner: 'root-or-clone', cloneOwner: process.getuid?.() ?? 0 } as const;

  it('is read when it is ours', () => {
    expect(loadConfig(file(), true, own).mode).toBe('audit');
  });

  it('is refused when others may write it', () => {
    const path = file();
    chmodSync(path, 0o666);
    expect(refusal(() => loadConfig(path, true, own))).toBe(
      `${path}:1:1: this file can be written by others (mode 0666): take that away with chmod go-w`,
    );
  });

  it('is refused when it is a stranger’s', () => {
    const path = file();
    const uid = process.getuid?.() || 4242;
    if (process.getuid?.() === 0) chownSync(path, uid, uid);
    expect(refusal(() => loadConfig(path, true, { checkOwner: 'root' }))).toContain(`belongs to uid ${uid}`);
  });

  it('may be missing unless somebody named it', () => {
    const path = join(scratchFolder(), 'none.yaml');
    expect(loadConfig(path, false, own)).toEqual(DEFAULTS);
    expect(refusal(() => loadConfig(path, true, own))).toBe(`${path}:1:1: there is no such file or folder`);
  });

  it('is a regular file', () => {
    const path = join(scratchFolder(), 'folder');
    mkdirSync(path);
    expect(refusal(() => loadConfig(path, true, own))).toBe(`${path}:1:1: this is not a regular file`);
  });
});

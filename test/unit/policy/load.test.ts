/** Loading: order, duplicates, what is missing, and whose files are refused. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatProblem, type LoadOptions, loadPolicies } from '../../../src/policy/index.js';
import { policyText } from './policies.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerngate-policy-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const put = (name: string, text: string, mode = 0o644): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
};

const NONE: LoadOptions = { checkOwner: 'none' };

const load = (paths: readonly string[], options = NONE) => {
  const { policies, problems } = loadPolicies(paths, options);
  return {
    names: policies.map(({ name }) => name),
    problems: problems.map((problem) => formatProblem(problem).replaceAll(folder, 'DIR')),
  };
};

test('reads the *.yaml of a folder in name order, and no subfolder', () => {
  put('20-b.yaml', policyText({}, 'b'));
  put('10-a.yaml', `${policyText({}, 'z')}---\n${policyText({}, 'a')}`);
  put('readme.txt', 'not: a policy');
  put('x.yml', 'not: a policy');
  put('.hidden.yaml', 'not: a policy');
  put('30-off.yaml', `# ${policyText().replaceAll('\n', '\n# ')}`);
  mkdirSync(join(folder, 'templates'));
  put('templates/t.yaml', policyText({}, 't'));
  expect(load([folder])).toEqual({ names: ['z', 'a', 'b'], problems: [] });
});

test('paths are read as given; an empty folder is no mistake, an empty file is', () => {
  const b = put('b.yaml', policyText({}, 'b'));
  const a = put('a.yaml', policyText({}, 'a'));
  expect(load([b, a]).names).toEqual(['b', 'a']);
  mkdirSync(join(folder, 'empty'));
  expect(load([join(folder, 'empty')])).toEqual({ names: [], problems: [] });
  const none = put('none.yaml', '# nothing\n');
  expect(load([none]).problems).toEqual([
    "DIR/none.yaml:1:1: no policy in this file: the first key of one is 'kerngate: 1'",
  ]);
});

test('a name may be used once in all files', () => {
  const a = put('a.yaml', policyText({}, 'same'));
  const b = put('b.yaml', `${policyText({}, 'fine')}---\n${policyText({ on: 'send' }, 'same')}`);
  expect(load([a, b])).toEqual({
    names: ['same', 'fine'],
    problems: [`DIR/b.yaml:7:1: policy 'same' is already defined at DIR/a.yaml:2`],
  });
});

test('equal rules of different files keep apart', () => {
  const files = ['a', 'b', 'c'].map((name) => put(`${name}.yaml`, policyText({}, name)));
  const hashes = (paths: string[]) =>
    loadPolicies(paths, NONE)
      .policies.map(({ name, hash }) => `${name}:${hash}`)
      .sort();
  expect(new Set(hashes(files).map((text) => text.slice(2))).size).toBe(3);
  expect(hashes([...files].reverse())).toEqual(hashes(files));
});

test('what is missing or no file is a problem', () => {
  expect(load([join(folder, 'nope.yaml')]).problems).toEqual([
    'DIR/nope.yaml:1:1: there is no such file or folder',
  ]);
  mkdirSync(join(folder, 'x.yaml'));
  symlinkSync('gone', join(folder, 'y.yaml'));
  expect(load([folder]).problems).toEqual([
    'DIR/x.yaml:1:1: this is not a regular file',
    'DIR/y.yaml:1:1: there is no such file or folder',
  ]);
  expect(load(['/dev/null']).problems).toEqual(['/dev/null:1:1: this is not a regular file']);
});

test('problems of all files are collected', () => {
  put('a.yaml', policyText({ on: 'x' }, 'a'));
  put('b.yaml', policyText({ on: 'y' }, 'b'));
  expect(load([folder]).problems).toHaveLength(2);
});

test('refuses what others can write, file or folder', () => {
  // Whoever runs the test owns its files.
  const options: LoadOptions = { checkOwner: 'root-or-clone', cloneOwner: process.getuid?.() ?? 0 };
  const file = put('a.yaml', policyText());
  expect(load([folder], options)).toEqual({ names: ['sample'], problems: [] });
  chmodSync(file, 0o664);
  expect(load([file], options)).toEqual({
    names: [],
    problems: [
      'DIR/a.yaml:1:1: this file can be written by others (mode 0664): take that away with chmod go-w',
    ],
  });
  expect(load([file]).names).toEqual(['sample']);
  chmodSync(file, 0o644);
  chmodSync(folder, 0o777);
  expect(load([folder], options).problems).toEqual([
    'DIR:1:1: this folder can be written by others (mode 0777): take that away with chmod go-w',
  ]);
});

test('refuses what belongs to somebody else', () => {
  const uid = process.getuid?.() ?? 0;
  const file = put('a.yaml', policyText());
  // Only root can give a file away; for others the file is already not root's.
  const owner = uid === 0 ? 12_345 : uid;
  if (uid === 0) chownSync(file, owner, 0);
  const refused = `DIR/a.yaml:1:1: this file belongs to uid ${owner}, not to root`;
  expect(load([file], { checkOwner: 'root' }).problems).toEqual([`${refused}: change its owner with chown`]);
  expect(load([file], { checkOwner: 'root-or-clone', cloneOwner: owner + 1 }).problems).toEqual([
    `${refused} or the owner of the clone: change its owner with chown`,
  ]);
  expect(load([file], { checkOwner: 'root-or-clone' }).problems).toHaveLength(1);
  expect(load([file], { checkOwner: 'root-or-clone', cloneOwner: owner }).names).toEqual(['sample']);
  expect(load([file]).names).toEqual(['sample']);
});

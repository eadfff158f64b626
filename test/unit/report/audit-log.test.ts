/** The audit log is private, complete and never in the way. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppendFile } from '../../../src/report/append-file.js';
import { AuditLog } from '../../../src/report/audit-log.js';
import { clock, decision } from './fixtures.js';

let folder: string;
let path: string;
let logs: AuditLog[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kg-audit-'));
  path = join(folder, 'audit.jsonl');
  logs = [];
});

afterEach(() => {
  for (const log of logs) log.close();
  rmSync(folder, { recursive: true });
});

const open = (at = path): AuditLog => {
  const log = new AuditLog(at, clock);
  logs.push(log);
  return log;
};
const lines = (at = path): unknown[] =>
  readFileSync(at, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const modeOf = (at: string): number => statSync(at).mode & 0o777;

it('writes one line for each change, at once, with who asked for it', () => {
  const log = open();
  const peer = { pid: 77, uid: 0, gid: 0 };
  log.decision(decision());
  log.lifted(decision(), 'unblock', peer);
  log.mode('audit', 'enforce', 'asked', peer);
  log.panic(2, peer);
  log.note('start', { version: '0.1.0' });
  const at = '1970-01-01T00:00:10.000Z';
  const who = { pid: 77, uid: 0 };
  expect(lines()).toEqual([
    { v: 1, at, event: 'decision', decision: decision() },
    { v: 1, at, event: 'lifted', why: 'unblock', decision: decision(), peer: who },
    { v: 1, at, event: 'mode', from: 'audit', to: 'enforce', why: 'asked', peer: who },
    { v: 1, at, event: 'panic', lifted: 2, peer: who },
    { v: 1, at, event: 'start', version: '0.1.0' },
  ]);
});

it('keeps hostile text inside its line', () => {
  open().decision(decision({ reason: 'a\n{"event":"panic"}\u001b[2J"' }));
  expect(lines()).toEqual([expect.objectContaining({ event: 'decision' })]);
  expect(readFileSync(path, 'utf8')).not.toContain('\u001b');
});

it('is readable by its owner alone, also when the file was there before', () => {
  open().panic(0);
  expect(modeOf(path)).toBe(0o600);
  const old = join(folder, 'old.jsonl');
  writeFileSync(old, '{"old":true}\n');
  chmodSync(old, 0o666);
  open(old).panic(0);
  expect(modeOf(old)).toBe(0o600);
  expect(lines(old)).toHaveLength(2);
});

it('appends across restarts and follows a rotation when asked', () => {
  open().panic(1);
  const log = open();
  log.panic(2);
  renameSync(path, `${path}.1`);
  log.panic(3);
  expect(log.reopen()).toBe(true);
  log.panic(4);
  expect(lines(`${path}.1`)).toMatchObject([{ lifted: 1 }, { lifted: 2 }, { lifted: 3 }]);
  expect(lines()).toMatchObject([{ lifted: 4 }]);
});

it('counts what it cannot write, and writes again as soon as it can', () => {
  const inTheWay = join(folder, 'log');
  writeFileSync(inTheWay, 'a file where the folder should be');
  const nested = join(inTheWay, 'kerngate', 'audit.jsonl');
  const log = open(nested);
  log.panic(1);
  log.panic(2);
  expect(log.failed).toBe(2);
  expect(log.lastError).toContain('ENOTDIR');
  rmSync(inTheWay);
  log.panic(3);
  expect(log.failed).toBe(2);
  expect(log.lastError).toBeUndefined();
  expect(lines(nested)).toMatchObject([{ lifted: 3 }]);
});

/** Files of this process may grow to `bytes` while `run` runs: as near to a full disk as needs no root. */
const withFileLimit = (bytes: number, run: () => void): void => {
  const limit = (soft: string): void => {
    execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${soft}:`]);
  };
  limit(String(bytes));
  try {
    run();
  } finally {
    limit('unlimited');
  }
};

it('leaves nothing of a line that a full disk cut short', () => {
  const log = open();
  log.panic(1);
  withFileLimit(statSync(path).size + 10, () => {
    log.panic(2);
    log.panic(3);
  });
  expect(log.failed).toBe(2);
  expect(log.lastError).toContain('EFBIG');
  log.recover();
  expect([log.failed, log.lastError]).toEqual([2, undefined]);
  log.panic(4);
  const [first, lost, last, ...rest] = readFileSync(path, 'utf8').split('\n');
  expect(JSON.parse(first as string)).toMatchObject({ lifted: 1 });
  expect(JSON.parse(lost as string)).toMatchObject({ event: 'lost', lines: 2 });
  expect(JSON.parse(last as string)).toMatchObject({ lifted: 4 });
  expect(rest).toEqual(['']);
});

it('refuses what is no regular file', () => {
  const file = new AppendFile('/dev/null');
  file.write('x\n');
  expect(file.failed).toBe(1);
  expect(file.lastError).toContain('not a regular file');
});

it('follows no symbolic link', () => {
  const target = join(folder, 'victim');
  writeFileSync(target, 'precious');
  symlinkSync(target, path);
  const log = open();
  log.panic(1);
  expect(log.failed).toBe(1);
  expect(readFileSync(target, 'utf8')).toBe('precious');
  expect(existsSync(`${target}.1`)).toBe(false);
});

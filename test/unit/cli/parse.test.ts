/** What users type becomes values, or a usage error that says what is accepted. */
import { describe, expect, it } from 'vitest';
import {
  parseDuration,
  parseIp,
  parsePid,
  parseReason,
  parseText,
  parseUid,
} from '../../../src/cli/parse.js';
import { oneTarget, parseSubject } from '../../../src/cli/target.js';
import { EXIT } from '../../../src/model/error.js';

const usage = expect.objectContaining({ exitCode: EXIT.usage });

describe('values', () => {
  it.each([
    ['30s', 30e9],
    ['10m', 600e9],
    ['4h', 14_400e9],
    ['7d', 604_800e9],
    ['1h30m', 5_400e9],
  ])('%s is a duration', (text, ns) => {
    expect(parseDuration(text)).toBe(ns);
  });

  it.each(['', '0s', '10', '10 m', '-1m', '1e3s', '400d', '99999999999d', 'm', '1m\n'])(
    '%j is none',
    (text) => {
      expect(() => parseDuration(text)).toThrow(usage);
    },
  );

  it('takes whole numbers in range', () => {
    expect(parsePid('4194304')).toBe(4_194_304);
    expect(parseUid('0')).toBe(0);
    for (const text of ['0', '-1', '1.5', '4194305', '0x10', '1e3', '', ' 1']) {
      expect(() => parsePid(text)).toThrow(usage);
    }
    expect(() => parseUid('4294967295')).toThrow(usage);
  });

  it('takes addresses and networks', () => {
    for (const text of ['192.0.2.1', '192.0.2.0/24', '2001:db8::1', '::/0', '::ffff:192.0.2.1']) {
      expect(parseIp(text)).toBe(text);
    }
    for (const text of [
      '',
      '192.0.2',
      '192.0.2.1/33',
      '2001:db8::/129',
      '192.0.2.1/',
      'localhost',
      '1.2.3.4/8/8',
    ]) {
      expect(() => parseIp(text)).toThrow(usage);
    }
  });

  it('bounds free text', () => {
    expect(parseText('nginx.service')).toBe('nginx.service');
    expect(() => parseText(' ')).toThrow(usage);
    expect(() => parseText('x'.repeat(5_000))).toThrow(usage);
    expect(() => parseReason('x'.repeat(501))).toThrow(usage);
  });
});

describe('targets', () => {
  it('is exactly one', () => {
    expect(oneTarget({ unit: 'a.service' })).toEqual({ unit: 'a.service' });
    expect(() => oneTarget({})).toThrow('no target given');
    expect(() => oneTarget({ pid: 1, ip: '192.0.2.1' })).toThrow('more than one target given');
  });

  it.each([
    ['pid:7', { pid: 7 }],
    ['7', { pid: 7 }],
    ['unit:nginx.service', { unit: 'nginx.service' }],
    ['nginx.service', { unit: 'nginx.service' }],
    ['192.0.2.1', { ip: '192.0.2.1' }],
    ['2001:db8::/32', { ip: '2001:db8::/32' }],
    ['ip:2001:db8::1', { ip: '2001:db8::1' }],
    ['exe:/usr/bin/curl', { exe: '/usr/bin/curl' }],
    ['uid:0', { uid: 0 }],
    ['cgroup:/a:b', { cgroup: '/a:b' }],
  ])('%s is a subject', (text, target) => {
    expect(parseSubject(text)).toEqual(target);
  });

  it.each(['', 'nginx', '/usr/bin/curl', 'pid:x', 'ip:nowhere', 'unit:', '__proto__:x', 'constructor:x'])(
    '%j is none',
    (text) => {
      expect(() => parseSubject(text)).toThrow(usage);
    },
  );
});

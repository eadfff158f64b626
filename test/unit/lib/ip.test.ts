/** Addresses: one spelling each, bytes and text are the same address, networks hold what they should. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalIp, cidrContains, ipFromBytes, ipToBytes, parseCidr } from '../../../src/lib/ip.js';

const v4 = fc.ipV4();
const v6 = fc.ipV6();
const anyIp = fc.oneof(v4, v6);

/** Fails the test instead of passing undefined on. */
const must = <T>(value: T | undefined): T => {
  if (value === undefined) throw new Error('expected a value');
  return value;
};

test.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['::FFFF:0a01:0203', '10.1.2.3'],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ['::1.2.3.4', '::102:304'],
  ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::', '::'],
])('%s is written %s', (text, canonical) => {
  expect(canonicalIp(text)).toBe(canonical);
});

test.each([
  '',
  'localhost',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '1.2.3.256',
  '0x7f.0.0.1',
  '2130706433',
  ' 1.2.3.4',
  '1.2.3.4 ',
  '1..2.3',
  ':::',
  '1:2',
  '::g',
  '::1.2.3.999',
  '1.2.3.4/8',
])('%j is no address', (text) => {
  expect(canonicalIp(text)).toBeUndefined();
  expect(ipToBytes(text)).toBeUndefined();
});

test('IPv6 is written as the WHATWG URL parser writes it', () => {
  fc.assert(
    fc.property(v6, (text) => {
      const url = new URL(`http://[${text}]/`).hostname.slice(1, -1);
      const mapped = /^::ffff:[0-9a-f]+:[0-9a-f]+$/.test(url);
      if (!mapped) expect(canonicalIp(text)).toBe(url);
      else expect(isIPv4(must(canonicalIp(text)))).toBe(true);
    }),
  );
});

test('bytes and text are the same address, and canonical text stays as it is', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.boolean(),
      fc.nat(8),
      (bytes, map, offset) => {
        if (map) bytes.fill(0, 0, 10).fill(255, 10, 12);
        const holder = new Uint8Array(32);
        holder.set(bytes, offset);
        const text = ipFromBytes(holder, offset);
        expect(ipToBytes(text)).toEqual(bytes);
        expect(canonicalIp(text)).toBe(text);
      },
    ),
  );
});

test('accepts what node takes for an address, but zones and ambiguous forms', () => {
  fc.assert(
    fc.property(
      fc.oneof(anyIp, fc.string({ unit: fc.constantFrom(...'0123456789abcdef:./'), maxLength: 20 })),
      (text) => {
        expect(ipToBytes(text) !== undefined).toBe(isIPv4(text) || isIPv6(text));
      },
    ),
    { numRuns: 1000 },
  );
});

test.each([
  ['10.1.2.3/8', '10.0.0.0/8', 104],
  ['0.0.0.0/0', '0.0.0.0/0', 96],
  ['1.2.3.4', '1.2.3.4/32', 128],
  ['::1', '::1/128', 128],
  ['::/0', '::/0', 0],
  ['2001:db8:ff::/32', '2001:db8::/32', 32],
  ['::ffff:10.0.0.0/104', '10.0.0.0/8', 104],
])('network %s is %s', (text, canonical, bits) => {
  const cidr = must(parseCidr(text));
  expect(cidr.text).toBe(canonical);
  expect(cidr.bits).toBe(bits);
  expect(must(parseCidr(cidr.text))).toEqual(cidr);
});

test.each(['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/08', '10.0.0.0/8/8', '/8', 'a/8'])(
  '%s is no network',
  (text) => {
    expect(parseCidr(text)).toBeUndefined();
  },
);

test('::/0 covers IPv4, 0.0.0.0/0 covers no IPv6', () => {
  const all = must(parseCidr('::/0'));
  const all4 = must(parseCidr('0.0.0.0/0'));
  expect(cidrContains(all, must(ipToBytes('1.2.3.4')))).toBe(true);
  expect(cidrContains(all4, must(ipToBytes('1.2.3.4')))).toBe(true);
  expect(cidrContains(all4, must(ipToBytes('2001:db8::1')))).toBe(false);
});

test('a network holds what the block list of node says it holds', () => {
  const near = fc.tuple(
    fc.oneof(
      v4.map((ip) => ({ ip, max: 32 })),
      v6.map((ip) => ({ ip, max: 128 })),
    ),
    fc.nat(128),
    fc.nat(127),
  );
  fc.assert(
    fc.property(near, ([{ ip, max }, length, flip]) => {
      const family = max === 32 ? 'ipv4' : 'ipv6';
      const bits = length % (max + 1);
      const other = must(ipToBytes(ip));
      const at = max === 32 ? 96 + (flip % 32) : flip;
      other[at >> 3] = (other[at >> 3] ?? 0) ^ (0x80 >> (at & 7));
      const otherText = ipFromBytes(other);
      // Node compares families, we compare in the mapped space: same family only.
      fc.pre(isIPv4(otherText) === (max === 32) && isIPv4(must(canonicalIp(ip))) === (max === 32));
      const list = new BlockList();
      list.addSubnet(ip, bits, family);
      expect(cidrContains(must(parseCidr(`${ip}/${bits}`)), other)).toBe(list.check(otherText, family));
    }),
    { numRuns: 500 },
  );
});

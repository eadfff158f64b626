/** Any record the kernel could send, for properties. */
import fc from 'fast-check';
import { type KgEvent, KINDS } from '../../../src/abi/generated.js';
import { ipToBytes } from '../../../src/lib/ip.js';

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const u32 = fc.nat({ max: 2 ** 32 - 1 });
const u16 = fc.nat({ max: 65_535 });
const u8 = fc.nat({ max: 255 });
const address = fc.oneof(
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
  fc.ipV4().map((text) => ipToBytes(text) as Uint8Array),
  fc.constant(new Uint8Array(16)),
);
const kind = fc.constantFrom(...Object.keys(KINDS).map(Number));
const time = fc.bigInt({ min: 0n, max: 2n ** 62n });

export const anyRecord: fc.Arbitrary<KgEvent> = fc.record({
  at_ns: time,
  start_ns: time,
  cgroup: u64,
  lineage_tick: fc.bigInt({ min: 0n, max: 2n ** 40n }),
  decision: fc.oneof(u64, fc.constant(0n)),
  rule: fc.oneof(u64, fc.constant(0n)),
  exe_ino: u64,
  count: time,
  exe_dev: u32,
  tgid: u32,
  ppid: u32,
  uid: u32,
  session: fc.oneof(u32, fc.constant(0xffffffff)),
  lineage_tgid: u32,
  child: u32,
  result: fc.integer({ min: -133, max: 0 }),
  kind,
  sport: fc.oneof(u16, fc.constant(0)),
  dport: fc.oneof(u16, fc.constant(0)),
  proto: u8,
  verdict: fc.nat({ max: 3 }),
  flags: fc.nat({ max: 31 }),
  by: fc.nat({ max: 7 }),
  way: fc.nat({ max: 17 }),
  comm: fc.string({ unit: 'grapheme-ascii', maxLength: 15 }),
  saddr: address,
  daddr: address,
});

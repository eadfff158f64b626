/** Rules as the policy reader would hand them to the kernel. */
import type { KernelRule } from '../../src/model/policy.js';

/** So short a window that no attempt ever finds it full: each takes a stamp, none crosses. */
const WITHIN_NS = 1;

const rule = (number: number): KernelRule => ({
  policy: `rule-${number}`,
  hash: (number + 1).toString(16).padStart(16, '0'),
  order: number,
  on: { connect: true, send: false },
  action: 'deny',
  mode: undefined,
  deny: 'new',
  by: 'process',
  limit: 5,
  withinNs: WITHIN_NS,
  forNs: 600e9,
});

const several = (count: number): KernelRule[] => Array.from({ length: count }, (_, number) => rule(number));

/** Each of them counts every connect. */
export const everyConnect = (count: number): KernelRule[] => several(count);

/** None of them matches where the generator goes. */
export const otherPorts = (count: number): KernelRule[] =>
  several(count).map((one, number) => ({ ...one, ports: [{ from: 1000 + number, to: 1000 + number }] }));

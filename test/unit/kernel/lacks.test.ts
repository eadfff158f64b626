/** The likely reason why a level is refused, by what a kernel says of itself. */
import { expect, it } from 'vitest';
import { lackOf } from '../../../src/kernel/lacks.js';

const FULL =
  'CONFIG_BPF_LSM=y\nCONFIG_FUNCTION_TRACER=y\nCONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y\nCONFIG_END=m\n';

it('a machine without trampolines is named, whatever its configuration', () => {
  const { why, remedy } = lackOf('fmod_ret', { arch: 'arm', config: FULL });
  expect([why, remedy]).toEqual([
    'kernels for arm cannot put a program in front of a function',
    'Level cgroup needs none of it.',
  ]);
});

it('options that are missing are named, and no others', () => {
  const without = FULL.replace('DIRECT_CALLS=y', 'DIRECT_CALLS is not set').replace('LSM=y', 'LSM=m');
  const lsm = lackOf('lsm', { arch: 'x64', config: without });
  expect(lsm.why).toBe(
    'this kernel was built without CONFIG_BPF_LSM and CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS',
  );
  const fmod = lackOf('fmod_ret', { arch: 'x64', config: without });
  expect(fmod.why).toBe('this kernel was built without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS');
  expect(fmod.remedy).toMatch(/^Boot a kernel with CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS=y\. Level cgroup/);
});

it('what is not known is not claimed', () => {
  expect(lackOf('lsm', { arch: 'x64', config: undefined }).why).toMatch(
    /^it was probably built without one of /,
  );
  expect(lackOf('lsm', { arch: 'x64', config: FULL }).why).toMatch(
    /lockdown, a security module, a patched kernel/,
  );
});

/** One seed for every property test, so that a run can be repeated; KERNGATE_TEST_SEED=N tries another. */
import fc from 'fast-check';

const DEFAULT_SEED = 20_261_122;

fc.configureGlobal({ seed: Number(process.env.KERNGATE_TEST_SEED ?? DEFAULT_SEED) });

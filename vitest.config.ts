/** The test lanes: one project each, named as scripts/test names them. */
import { defineConfig } from 'vitest/config';

/** See test/kernel/pace.ts. */
const slow = Number(process.env.KERNGATE_TEST_SLOW ?? 1);
const setupFiles = ['test/setup/seed.ts'];

export default defineConfig({
  test: {
    projects: [
      // Generous: what is slow on a loaded machine is not wrong.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, setupFiles } },
      {
        test: {
          name: 'cli',
          include: ['test/cli/**/*.test.ts', 'test/cases/**/*.test.ts'],
          testTimeout: 60_000,
          setupFiles,
        },
      },
      { test: { name: 'native', include: ['test/native/*.test.ts'], testTimeout: 60_000 } },
      {
        test: {
          name: 'kernel',
          setupFiles,
          include: ['test/native/kernel/**/*.test.ts', 'test/kernel/**/*.test.ts'],
          testTimeout: 120_000 * slow,
          hookTimeout: 120_000 * slow,
          // Kernel state belongs to the machine: two files at a time would see each other's.
          fileParallelism: false,
        },
      },
    ],
  },
});

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Native threads already use every core; more than two test files at once only fight over them.
    maxWorkers: 2,
  },
});

import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // npm run test:long lets them in.
    exclude: [...configDefaults.exclude, ...(process.env.NIGH_LONG_TESTS === '1' ? [] : ['**/*.long.test.ts'])],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Native threads already use every core; more than two test files at once only fight over them.
    maxWorkers: 2,
  },
});

import { expect, test } from 'vitest';
import { runProgram } from './run-program.js';

// A sanitizer's runtime takes more addresses than any limit that would mean something.
const limits = process.platform === 'linux' && process.env.ASAN_OPTIONS === undefined;

test.skipIf(!limits)('an array that cannot be allocated is an error with a code, and the process goes on', async () => {
  const { code, stdout, stderr } = await runProgram('too-large-arrays.mjs', {}, 8_000_000);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({
    outcomes: ['OUT_OF_MEMORY', 'OUT_OF_MEMORY'],
    count: 300_000,
    room: 2 ** 19,
    bytes: 24 + 300_000 * 8,
  });
});

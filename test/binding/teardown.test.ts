import { describe, expect, test } from 'vitest';
import { runProgram } from './run-program.js';

describe('the end of an environment', () => {
  test('workers that are terminated, or exit, with tasks under way harm nobody', async () => {
    const { code, signal, stdout, stderr } = await runProgram('terminated-workers.mjs');
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout.trim()).toBe('answered 0');
  });

  test('a process that exits with tasks under way exits with its own code', async () => {
    for (let round = 0; round < 3; round++) {
      const { code, signal, stderr } = await runProgram('exit-while-busy.mjs');
      expect({ code, signal, stderr }).toEqual({ code: 3, signal: null, stderr: '' });
    }
  });

  test('a pending promise keeps the process alive; a settled one does not', async () => {
    const { code, stdout } = await runProgram('end-by-itself.mjs');
    expect(code).toBe(0);
    expect(stdout.trim()).toBe('kept 2000');
  });
});

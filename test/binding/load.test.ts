import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

describe('loading the addon', () => {
  beforeEach(() => {
    vi.resetModules();
    // Where node-gyp-build looks instead of the package's own folder.
    vi.stubEnv('NIGH_PREBUILD', tmpdir());
  });
  afterEach(() => vi.unstubAllEnvs());

  test('a missing binary is one sentence that says how to build it', async () => {
    const { native } = await import('../../src/binding/native.js');
    expect(() => native()).toThrow(
      expect.objectContaining({ code: 'NATIVE_MISSING', message: expect.stringContaining('npm run build') }),
    );
  });

  test('importing the package needs no binary', async () => {
    const { IdSet } = await import('../../src/index/index.js');
    expect(() => IdSet.allow([1])).toThrow(expect.objectContaining({ code: 'NATIVE_MISSING' }));
  });
});

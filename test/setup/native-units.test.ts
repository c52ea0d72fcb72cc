import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addonUnits, coreUnits, testUnits } from '../../src/setup/native-units.mjs';
import { inRoot } from '../../src/setup/paths.mjs';

describe.skipIf(process.platform === 'win32')('what is compiled without node-gyp', () => {
  test('is every source that binding.gyp names, each once and with its own instruction set', () => {
    const units = addonUnits({ ...process.env, npm_config_nodedir: '/somewhere' });
    const sources = units.map(({ source }) => source);
    expect(new Set(sources).size).toBe(sources.length);
    expect(sources.filter((source) => !existsSync(inRoot(source)))).toEqual([]);
    expect(sources).toEqual(expect.arrayContaining(['native/napi/module.cpp', 'native/index/hnsw_index.cpp']));
    const flagsOf = (name: string) => units.find(({ source }) => source.endsWith(name))?.flags;
    expect(flagsOf('module.cpp')).toEqual(expect.arrayContaining(['-DNAPI_VERSION=8', '/somewhere/include/node']));
    expect(flagsOf('thread_pool.cpp')).toContain('-std=c++20');
    if (process.arch !== 'x64') return;
    expect(flagsOf('kernels_avx512.cpp')).toContain('-mavx512vnni');
    expect(flagsOf('kernels_avx2.cpp')).toContain('-mavx2');
    expect(flagsOf('thread_pool.cpp')?.filter((flag) => flag.startsWith('-mavx'))).toEqual([]);
  });

  test('is the same core for another processor, in its own instructions', () => {
    const flags = new Set(testUnits(process.env, 'arm64').flatMap((unit) => unit.flags));
    expect(Array.from(flags).filter((flag) => flag.includes('avx') || flag.includes('x86'))).toEqual([]);
    expect(coreUnits(process.env, 'arm64').map(({ source }) => source)).toEqual(
      coreUnits(process.env, 'x64').map(({ source }) => source),
    );
  });
});

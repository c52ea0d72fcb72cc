import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/sources/registry.js';
import { attributesOf, interactionsOf } from '../support/dataset-view.js';
import { nighError } from '../support/expect-error.js';
import { npmData } from '../support/npm-data.js';
import { tarball } from '../support/tarball.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

async function load(inner: Record<string, string>) {
  return loadBytes(
    await tarball({
      'package/index.js': 'throw new Error("never run")',
      'package/dependents.tgz': await tarball(inner),
      'package/counts.json': '[{"name":"express","dependents":1}]',
    }),
  );
}

async function loadBytes(archive: Uint8Array, signal?: AbortSignal) {
  const baseDirectory = await temporaryDirectory({ 'graph.tgz': archive });
  const context = { baseDirectory, ...(signal === undefined ? {} : { signal }) };
  return loadDataset({ source: 'npm-dependents', path: 'graph.tgz' }, context);
}

describe('the npm dependents source', () => {
  it('makes items of packages and users of their dependents, with their number as a column', async () => {
    const dataset = await load({
      'dependents/express.json': '["app","site"]',
      'dependents/morgan.json': '["app"]',
      'elsewhere/ignored.json': '["x"]',
      'dependents/readme.md': 'no',
    });
    expect(dataset.items.terms).toEqual(['express', 'morgan']);
    expect(dataset.titles).toEqual(['express', 'morgan']);
    expect(attributesOf(dataset, 'express')).toEqual({ dependents: 2 });
    expect(attributesOf(dataset, 'morgan')).toEqual({ dependents: 1 });
    expect(interactionsOf(dataset)).toEqual(
      new Map([
        ['app express', [1]],
        ['app morgan', [1]],
        ['site express', [1]],
      ]),
    );
  });

  it('takes names as they are, however odd', async () => {
    const names = [
      '',
      ' optimist',
      'JQuery UI',
      '../up',
      'a\\b" &gt;onmouseover=alert(1)',
      '__proto__',
      '{}',
      '.json',
      'é'.repeat(150),
    ];
    const dataset = await load(Object.fromEntries(names.map((name) => [`dependents/${name}.json`, '["app"]'])));
    expect(dataset.items.terms).toEqual(names);
    expect(dataset.titles[0]).toBe('(package without a name)');
    expect(dataset.interactions.entries).toBe(names.length);
  });

  it('counts a dependent that is listed twice once', async () => {
    const dataset = await load({ 'dependents/express.json': '["app","app"]' });
    expect(interactionsOf(dataset)).toEqual(new Map([['app express', [1]]]));
  });

  it.each([
    ['no JSON', '["app"', 'INVALID_RECORD', ['dependents/express.json', 'JSON']],
    ['no array', '{"app":1}', 'INVALID_RECORD', ['dependents/express.json', 'array']],
    ['names that are no texts', '["app",7]', 'INVALID_RECORD', ['dependents/express.json', '7']],
  ] as const)('refuses a file that is %s', async (_, content, code, texts) => {
    await expect(load({ 'dependents/express.json': content })).rejects.toEqual(nighError(code, ...texts));
  });

  it('refuses a tarball of something else', async () => {
    const other = loadBytes(await tarball({ 'package/index.js': '' }));
    await expect(other).rejects.toEqual(nighError('FORMAT', 'package/dependents.tgz'));
    await expect(load({ 'elsewhere/a.json': '["b"]' })).rejects.toEqual(nighError('FORMAT', 'package/dependents.tgz'));
  });

  it('says of a tarball that is cut short or damaged which it is', async () => {
    const inner = await tarball({ 'dependents/a.json': '["b"]', 'dependents/c.json': '["d"]'.padEnd(5000) });
    const whole = await tarball({ 'package/dependents.tgz': inner });
    await expect(loadBytes(whole.subarray(0, -20))).rejects.toEqual(nighError('TRUNCATED', 'graph.tgz'));
    await expect(loadBytes(Buffer.from('no tarball at all'))).rejects.toEqual(nighError('FORMAT', 'graph.tgz'));
    const innerCut = await tarball({ 'package/dependents.tgz': inner.subarray(0, -20) });
    await expect(loadBytes(innerCut)).rejects.toEqual(nighError('TRUNCATED', 'package/dependents.tgz'));
    const innerWrong = await tarball({ 'package/dependents.tgz': 'no gzip' });
    await expect(loadBytes(innerWrong)).rejects.toEqual(nighError('FORMAT', 'package/dependents.tgz'));
  });

  it('says that a tarball is not there', async () => {
    const baseDirectory = await temporaryDirectory();
    const loading = loadDataset({ source: 'npm-dependents', path: 'none.tgz' }, { baseDirectory });
    await expect(loading).rejects.toEqual(nighError('NOT_FOUND', 'none.tgz'));
  });

  it('stops when it is aborted', async () => {
    const archive = await tarball({ 'package/dependents.tgz': await tarball({ 'dependents/a.json': '["b"]' }) });
    await expect(loadBytes(archive, AbortSignal.abort())).rejects.toEqual(nighError('ABORTED'));
  });
});

const real = await npmData('dependent-packages');

it.skipIf(real === undefined)('the real dependency graph is read whole (needs the npm registry once)', async () => {
  const dataset = await loadDataset({ source: 'npm-dependents' }, { baseDirectory: '/' });
  expect([dataset.interactions.entries, dataset.users.size, dataset.items.size]).toEqual([926_384, 229_454, 80_340]);
  expect(attributesOf(dataset, 'express')).toEqual({ dependents: 11_491 });
  expect(dataset.interactions.columnCounts()[dataset.items.ordinal('express')!]).toBe(11_491);
  expect(dataset.items.ordinal('abcd" &gt;onmouseover=alert(1)\\')).toBeDefined();
});

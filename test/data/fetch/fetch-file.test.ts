import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchDataset, findDataset } from '../../../src/data/fetch/locate.js';
import type { NamedDataset } from '../../../src/data/fetch/named-datasets.js';
import { nighError } from '../support/expect-error.js';
import { localServer } from '../support/local-server.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { sha256 } from '../support/zip-file.js';

const content = 'a model';

async function setUp(served: string) {
  const cache = await temporaryDirectory();
  const address = await localServer((_, response) => response.end(served));
  const tiny: NamedDataset = {
    name: 'tiny',
    description: 'for the test',
    licence: 'none',
    source: 'here',
    delivery: { kind: 'file', address: `${address}/tiny.onnx`, file: 'models/tiny.onnx', sha256: sha256(content) },
  };
  return { cache, tiny, context: { environment: { NIGH_CACHE: cache } } };
}

describe('fetchDataset of one file', () => {
  it('downloads, checks and keeps it, and finds it the next time', async () => {
    const { cache, tiny, context } = await setUp(content);
    expect(await findDataset(tiny, context)).toBeUndefined();
    const place = join(cache, 'models/tiny.onnx');
    expect(await fetchDataset(tiny, context)).toMatchObject({ path: place, from: 'download' });
    expect(await readFile(place, 'utf8')).toBe(content);
    expect(await readdir(cache)).toEqual(['models']);
    expect((await fetchDataset(tiny, context)).from).toBe('cache');
  });

  it('keeps nothing that is not what is pinned', async () => {
    const { cache, tiny, context } = await setUp('another model');
    await expect(fetchDataset(tiny, context)).rejects.toEqual(nighError('CHECKSUM_MISMATCH', 'nothing was kept'));
    expect(await readdir(cache)).toEqual([]);
  });
});

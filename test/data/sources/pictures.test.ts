import { describe, expect, it } from 'vitest';
import { loadDataset } from '../../../src/data/sources/registry.js';
import { nighError } from '../support/expect-error.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const items = { path: 'shop/plants.csv', id: 'sku', picture: 'photo' };

async function load(csv: string, files: Record<string, string> = {}, more: object = {}) {
  const baseDirectory = await temporaryDirectory({ 'shop/plants.csv': csv, ...files });
  return loadDataset({ source: 'csv', items, ...more }, { baseDirectory });
}

const read = async (dataset: Awaited<ReturnType<typeof load>>, id: string) => {
  const bytes = await dataset.pictures?.read(id);
  return bytes && Buffer.from(bytes).toString();
};

describe('pictures of a table', () => {
  it('lie beside the file, are read on demand, and are absent where the cell is empty', async () => {
    const dataset = await load('sku,photo\np1,a.jpg\np2,\np3,more/b.jpg\np4,gone.jpg\n', {
      'shop/a.jpg': 'A',
      'shop/more/b.jpg': 'B',
    });
    expect(dataset.columns.has('photo')).toBe(false);
    expect([await read(dataset, 'p1'), await read(dataset, 'p2'), await read(dataset, 'p3')]).toEqual([
      'A',
      undefined,
      'B',
    ]);
    await expect(read(dataset, 'p4')).rejects.toEqual(nighError('NOT_FOUND', 'gone.jpg'));
  });

  it('stay with their items when a filter leaves some out', async () => {
    const dataset = await load(
      'sku,photo\np1,a.jpg\np2,b.jpg\n',
      { 'shop/a.jpg': 'A', 'shop/b.jpg': 'B', 'orders.csv': 'who,what\nann,p2\nbob,p2\n' },
      { interactions: { path: 'orders.csv', user: 'who', item: 'what' }, filter: { minItemInteractions: 1 } },
    );
    expect(dataset.items.terms).toEqual(['p2']);
    expect(await read(dataset, 'p2')).toBe('B');
  });

  it('are of no dataset whose recipe names no column of them', async () => {
    const baseDirectory = await temporaryDirectory({ 'plants.csv': 'sku\np1\n' });
    const dataset = await loadDataset({ source: 'csv', items: { path: 'plants.csv', id: 'sku' } }, { baseDirectory });
    expect(dataset.pictures).toBeUndefined();
  });

  it.each(['../secret.jpg', '/etc/passwd', 'a/../../secret.jpg'])('refuses the path %s', async (path) => {
    await expect(load(`sku,photo\np1,${path}\n`)).rejects.toEqual(
      nighError('INVALID_RECORD', 'plants.csv:2', '"p1"', path),
    );
  });

  it('refuses a column that is not there', async () => {
    await expect(load('sku,image\np1,a.jpg\n')).rejects.toEqual(nighError('MISSING_COLUMN', 'photo'));
  });
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findDataset } from '../../../src/data/fetch/locate.js';
import { namedDataset, namedDatasets, placeName } from '../../../src/data/fetch/named-datasets.js';
import { nighError } from '../support/expect-error.js';

describe('the named datasets', () => {
  it.each([...namedDatasets.values()])('$name has a licence, a source and pinned digests', (dataset) => {
    const { name, description, licence, source, delivery } = dataset;
    for (const line of [description, licence, source]) expect(line).toMatch(/^[^\n]+$/);
    expect(namedDataset(name)).toBe(dataset);
    expect(placeName(dataset)).toMatch(/^(models\/)?[\w.-]+$/);
    if (delivery.kind === 'npm') {
      expect(delivery.integrity).toMatch(/^sha512-[A-Za-z0-9+/]{86}==$/);
    } else if (delivery.kind === 'file') {
      expect(delivery.address).toMatch(/^https:\/\//);
      expect(delivery.sha256).toMatch(/^[0-9a-f]{64}$/);
    } else {
      expect(delivery.address).toMatch(/^https:\/\//);
      for (const [file, digest] of Object.entries(delivery.files)) {
        expect(file).toMatch(/^\w[\w.-]*$/);
        expect(digest).toMatch(/^[0-9a-f]{64}$/);
      }
    }
  });

  it('names the nearest for one that is not known', () => {
    expect(() => namedDataset('movielens-100K')).toThrow(nighError('UNKNOWN_DATASET', 'mean "movielens-100k"'));
  });

  const data = process.env.NIGH_DATA;

  it.skipIf(data === undefined)(
    'are found whole in NIGH_DATA, by the digests listed there (needs NIGH_DATA)',
    async () => {
      const listed = await readFile(join(data ?? '', 'sha256sums.txt'), 'utf8');
      for (const name of ['movielens-latest-small', 'movielens-100k']) {
        const { delivery } = namedDataset(name);
        if (delivery.kind !== 'zip') throw new Error('an archive is expected');
        const lines = listed.split('\n').filter((line) => line.includes(`./${delivery.folder}/`));
        const ours = Object.entries(delivery.files).map(([file, digest]) => `${digest}  ./${delivery.folder}/${file}`);
        expect(ours.sort()).toEqual(lines.sort());
        expect(await findDataset(name)).toMatchObject({ from: 'data', path: join(data ?? '', delivery.folder) });
      }
      const { delivery } = namedDataset('squeezenet');
      if (delivery.kind !== 'file') throw new Error('a file is expected');
      expect(listed).toContain(`${delivery.sha256}  ./${delivery.file}\n`);
      expect(await findDataset('squeezenet')).toMatchObject({ from: 'data', path: join(data ?? '', delivery.file) });
    },
  );
});

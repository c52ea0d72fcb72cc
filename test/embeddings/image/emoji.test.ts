/** What the models see in real pictures: whether an emoji's nearest neighbor is of its kind, beside what chance would give. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { row } from '../../../src/core/matrix.js';
import { subsetDataset } from '../../../src/data/dataset-subset.js';
import { loadDataset } from '../../../src/data/sources/registry.js';
import { colorEdgesModel } from '../../../src/embeddings/image/color-edges.js';
import { image } from '../../../src/embeddings/image/image.js';
import { npmData } from '../../data/support/npm-data.js';
import { temporaryDirectory } from '../../data/support/temporary-directory.js';
import { dot } from '../support.js';

it('color-edges is the same model to the byte: vectors of one release are found by the next', () => {
  expect(createHash('sha256').update(colorEdgesModel()).digest('hex')).toBe(
    '5a9e35f34ff47e7bfa4bf09a7920827f6792616c2556ead797afde64ee25a5f5',
  );
});

const openmoji = await npmData('openmoji');
const squeezenet = existsSync(join(process.env.NIGH_DATA ?? '', 'models/SqueezeNet_fp16.onnx'));
if (!squeezenet) console.warn('Skipped: tests of SqueezeNet need NIGH_DATA with models/SqueezeNet_fp16.onnx.');

/** Every so many-th emoji: a sample that takes seconds. */
const every = 9;

async function agreement(model: string) {
  const all = await loadDataset({ source: 'openmoji' }, { baseDirectory: '/' });
  const keep = Uint8Array.from({ length: all.items.size }, (_, i) => (i % every === 0 ? 1 : 0));
  const dataset = subsetDataset(all, keep, new Uint8Array());
  const environment = { ...process.env, NIGH_CACHE: await temporaryDirectory() };
  const { items, notes } = await image.fit(dataset, image.parse({ model }, ''), { environment });
  const groups = dataset.columns.get('group')!.values as string[];
  const counts = new Map<string, number>();
  for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
  const { size } = dataset.items;
  const chance = [...counts.values()].reduce((sum, count) => sum + count * (count - 1), 0) / (size * (size - 1));
  let agree = 0;
  for (let i = 0; i < size; i++) {
    let best = -1;
    let score = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < size; j++) {
      const cosine = i === j ? Number.NEGATIVE_INFINITY : dot(row(items.matrix, i), row(items.matrix, j));
      if (cosine > score) [best, score] = [j, cosine];
    }
    if (groups[i] === groups[best]) agree++;
  }
  console.log(
    `${model}: ${size} emoji, the nearest shares the group ${(agree / size).toFixed(3)}, by chance ${chance.toFixed(3)}`,
  );
  return { share: agree / size, chance, dim: items.matrix.dim, unreadable: notes.unreadable };
}

describe.skipIf(openmoji === undefined)('among real emoji (needs the npm registry once)', () => {
  it('color-edges puts emoji of a group beside each other far above chance', async () => {
    const { share, chance, unreadable } = await agreement('color-edges');
    expect(unreadable).toBe(0);
    expect(chance).toBeLessThan(0.35);
    expect(share).toBeGreaterThan(chance + 0.3);
  });

  it.skipIf(!squeezenet)('SqueezeNet does so too, by 512 means of a tensor inside it (needs NIGH_DATA)', async () => {
    const { share, chance, dim, unreadable } = await agreement('squeezenet');
    expect([dim, unreadable]).toEqual([512, 0]);
    expect(share).toBeGreaterThan(chance + 0.3);
  });
});

/**
 * What models see in real pictures: whether the nearest emoji by picture is of the same group, beside what chance would give; and that a
 * picture is the same however it is stored.
 */

import { type Dataset, image, type Matrix } from 'nigh/embeddings';
import { FlatIndex } from 'nigh/index';
import sharp from 'sharp';
import { dataFile } from '../recsys/datasets.js';
import { say } from '../report/say.js';
import { openmoji } from './datasets.js';

export async function pictures(): Promise<void> {
  const dataset = await openmoji();
  say('\nEmoji whose nearest by picture shares their group:');
  for (const model of ['squeezenet', 'color-edges']) {
    if (model === 'squeezenet' && dataFile('models/SqueezeNet_fp16.onnx') === undefined) {
      say('  squeezenet: left out, it needs NIGH_DATA with models/SqueezeNet_fp16.onnx.');
      continue;
    }
    const fitted = await image.fit(dataset, image.parse({ model }, ''), {});
    const { share, chance } = await agreement(fitted.items.matrix, fitted.items.ordinals, dataset);
    const { same, turned } = await likenesses(dataset, fitted.model);
    say(
      `  ${model}: ${(100 * share).toFixed(1)} %, by chance ${(100 * chance).toFixed(1)} %, of ${fitted.items.matrix.rows}; ` +
        `cosine of a picture with itself ${same.toFixed(6)}, of one turned by EXIF with the upright one ${turned.toFixed(6)}`,
    );
  }
}

/** Share of the items whose nearest other has their group, and of all pairs of items. */
async function agreement(matrix: Matrix, ordinals: Uint32Array, dataset: Dataset) {
  const column = dataset.columns.get('group');
  const groups = Array.from(ordinals, (item) => column?.values[item]);
  const counts = new Map<unknown, number>();
  for (const group of groups) counts.set(group, (counts.get(group) ?? 0) + 1);
  const { rows } = matrix;
  const alike = [...counts.values()].reduce((sum, count) => sum + count * (count - 1), 0);
  using index = await FlatIndex.build(matrix, { metric: 'cosine' });
  const { ids } = await index.searchBatch(matrix, 2);
  let agree = 0;
  for (let i = 0; i < rows; i++) {
    // Of two equal pictures either may come first.
    const nearest = ids[2 * i] === i ? ids[2 * i + 1]! : ids[2 * i]!;
    if (groups[i] === groups[nearest]) agree++;
  }
  return { share: agree / rows, chance: alike / (rows * (rows - 1)) };
}

/** The least of the cosines of ten pictures with themselves, and with themselves lying on their side and said by EXIF to. */
async function likenesses(dataset: Dataset, model: Readonly<Record<string, unknown>>) {
  const embedder = await image.openEmbedder!(model);
  const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
  let [same, turned] = [1, 1];
  try {
    for (const id of dataset.items.terms.filter((_, item) => item % 450 === 0)) {
      const svg = await dataset.pictures!.read(id);
      const drawn = await sharp(svg)
        .resize(320, 240, { fit: 'fill' })
        .flatten({ background: 'white' })
        .png()
        .toBuffer();
      const jpeg = { quality: 100, chromaSubsampling: '4:4:4' };
      const upright = await sharp(drawn).jpeg(jpeg).toBuffer();
      // Orientation 6: what is stored has to be turned by 90° to the right.
      const lying = await sharp(drawn).rotate(-90).withMetadata({ orientation: 6 }).jpeg(jpeg).toBuffer();
      const [one, two, three] = await Promise.all(
        [upright, upright, lying].map((bytes) => embedder.embed({ image: bytes })),
      );
      same = Math.min(same, cosine(one!, two!));
      turned = Math.min(turned, cosine(one!, three!));
    }
  } finally {
    await embedder.close?.();
  }
  return { same, turned };
}

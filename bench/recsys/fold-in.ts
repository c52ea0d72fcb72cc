/** How long it takes to place somebody, or something, that came after the training, one at a time; through the public interface. */
import { CsrMatrix, findEmbedding, zeros } from 'nigh/embeddings';
import { decimal, textTable } from '../report/text-table.js';
import { asDataset } from './as-dataset.js';
import { ml100k } from './datasets.js';

const repeats = 200;
/** A history of this length, or an audience. */
const length = 50;

export async function foldInTimes(): Promise<void> {
  const data = ml100k();
  if (data === undefined) return void process.stdout.write('ml-100k: not in NIGH_DATA, left out.\n');
  const dataset = asDataset(data.ratings);
  const cells: string[][] = [];
  for (const [name, params] of [
    ['als', { factors: 64 }],
    ['mf', { factors: 64, epochs: 5 }],
    ['svd', { factors: 64 }],
    ['ease', { factors: 64 }],
    ['nmf', { factors: 32, iterations: 20 }],
    ['bpr', { factors: 64, epochs: 10 }],
    ['item2vec', { factors: 64 }],
  ] as const) {
    const embedding = findEmbedding(name, name);
    const { items, users, model } = await embedding.fit(dataset, embedding.parse(params, name) as never, {});
    const some = ({ matrix, ordinals }: typeof items) => {
      const vectors = zeros(length, matrix.dim);
      vectors.data.set(matrix.data.subarray(0, length * matrix.dim));
      return { vectors, items: ordinals.slice(0, length), weights: new Float32Array(length).fill(1) };
    };
    const fold = embedding.openFolder?.(model);
    const history = some(items);
    const audience = { ...some(users ?? items), histories: firstRows(dataset.interactions) };
    const foldItem = embedding.openAudienceFolder?.(model);
    const user = fold && (await timed(() => fold(history)));
    const item = foldItem && (await timed(() => foldItem(audience)));
    cells.push([
      name,
      ...[user, item].flatMap((time) => (time ? [decimal(time.median, 3), decimal(time.p95, 3)] : ['–', '–'])),
    ]);
  }
  process.stdout.write(`\nFold-in of one user of ${length} items, of one item of ${length} users, ms (ml-100k)\n\n`);
  process.stdout.write(textTable(['model', 'user, median', 'p95', 'item, median', 'p95'], cells));
}

/** The histories of an audience. */
function firstRows({ cols, offsets, columns, values }: CsrMatrix): CsrMatrix {
  const end = offsets[length]!;
  return new CsrMatrix(length, cols, offsets.slice(0, length + 1), columns.slice(0, end), values.slice(0, end).fill(1));
}

async function timed(run: () => Promise<unknown>): Promise<{ median: number; p95: number }> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const began = performance.now();
    await run();
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  return { median: times[repeats >> 1]!, p95: times[Math.floor(repeats * 0.95)]! };
}

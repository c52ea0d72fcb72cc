/**
 * Last.fm (HetRec 2011): whether the nearest artist is of the same kind, against an artist drawn at random.
 *
 * item2vec is trained on a random half of the listeners, and judged by the other half: does anybody of them listen to both? Where
 * user_taggedartists.dat lies beside the plays, also by tags: do both have one in common; by item2vec and by vectors of the tags themselves
 * (trained and judged by halves of the tags, too).
 */
import { existsSync, readFileSync } from 'node:fs';
import { FlatIndex } from 'nigh';
import { fitItem2vec, type Matrix, parseItem2vec } from 'nigh/embeddings';
import type { CsrMatrix } from 'nigh/evaluation';
import { decimal, textTable, whole } from '../report/text-table.js';
import { dataFile, readTriples, type Triple, toMatrices } from './datasets.js';
import { halves } from './halves.js';
import { alikeShare } from './nearest-alike.js';

const seed = 42;
/** Of artists that fewer listen to or that have fewer tags, there is nothing to judge by. */
const fewest = 5;

export async function artists(): Promise<void> {
  const file = dataFile('lastfm-2k', 'user_artists.dat');
  if (file === undefined) return void process.stdout.write('lastfm-2k: not in NIGH_DATA, left out.\n');
  const plays = readTriples(readFileSync(file, 'utf8'), '\t', true);
  const tagFile = file.replace(/user_artists\.dat$/, 'user_taggedartists.dat');
  const tagged: Triple[] = existsSync(tagFile)
    ? readTriples(readFileSync(tagFile, 'utf8'), '\t', true).map(([, artist, tag]) => [`${tag}`, artist, 1])
    : [];
  const [listeners, tags] = toMatrices([plays, tagged]) as [CsrMatrix, CsrMatrix];
  const cells: string[][] = [];
  const judge = async (name: string, vectors: Matrix, by: string, terms: CsrMatrix) => {
    const { share, chance, asked } = alikeShare(await nearest(vectors), terms.transpose(), fewest, seed);
    cells.push([name, by, whole(asked), decimal(share, 4), decimal(chance, 4), decimal(share / chance, 1)]);
  };
  const [train, test] = halves(listeners, seed);
  const params = parseItem2vec({ factors: 64 });
  const { items } = await fitItem2vec(train, params);
  await judge('item2vec of half of the listeners', items, 'a listener of the other half', test);
  if (tagged.length > 0) {
    const [tagTrain, tagTest] = halves(tags, seed);
    await judge('item2vec of half of the listeners', items, 'a tag', tags);
    const { items: byTags } = await fitItem2vec(tagTrain, params);
    await judge('vectors of half of the tags', byTags, 'a tag of the other half', tagTest);
  } else {
    process.stdout.write(
      '\nlastfm-2k: user_taggedartists.dat is not there; nothing says which artist has which tag.\n',
    );
  }
  process.stdout.write(
    `\nlastfm-2k: does the nearest artist share …? Artists with ${fewest} or more; seed ${seed}\n\n`,
  );
  process.stdout.write(textTable(['vectors', 'shares', 'artists', 'nearest', 'by chance', '×'], cells));
}

/** By artist the nearest other one by cosine, −1 for one without a vector. */
async function nearest(vectors: Matrix): Promise<Int32Array> {
  const known = Uint32Array.from({ length: vectors.rows }, (_, row) => row).filter((row) =>
    vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim).some((value) => value !== 0),
  );
  const data = new Float32Array(known.length * vectors.dim);
  known.forEach((row, at) => {
    data.set(vectors.data.subarray(row * vectors.dim, (row + 1) * vectors.dim), at * vectors.dim);
  });
  const matrix = { data, rows: known.length, dim: vectors.dim };
  const index = await FlatIndex.build(matrix, { metric: 'cosine', ids: known });
  const { ids } = await index.searchBatch(matrix, 2);
  index.close();
  const found = new Int32Array(vectors.rows).fill(-1);
  known.forEach((row, at) => {
    found[row] = ids[2 * at] === row ? ids[2 * at + 1]! : ids[2 * at]!;
  });
  return found;
}

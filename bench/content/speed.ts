/** How fast content becomes vectors, beside what one would write by hand or with the usual Python libraries. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchDataset, loadDataset, readWordVectors } from 'nigh';
import { type Dataset, glove, image, tfidf } from 'nigh/embeddings';
import { dataFile } from '../recsys/datasets.js';
import { say } from '../report/say.js';
import { lsaByHand, meansByHand } from './by-hand.js';
import { datasetOf, here, manyTitles, openmoji, plots, withDirectory } from './datasets.js';
import { compareWays, timed, type Way } from './interleave.js';
import { pythonTask } from './python.js';
import { squeezenetByHand } from './squeezenet-by-hand.js';

const dim = 128;

/** TF-IDF and LSA. */
export function textSpeed(repeats: number): Promise<void> {
  return withDirectory((directory) => textSpeedIn(directory, repeats));
}

async function textSpeedIn(directory: string, repeats: number): Promise<void> {
  const corpus = await plots(10_000);
  if (corpus === undefined) return say('TF-IDF and LSA: left out, NIGH_DATA has no tmdb-5000 or ml-1m-cold.');
  const { path, dataset } = await datasetOf(corpus.texts, directory);
  const fit = (stem: boolean) => tfidf.fit(dataset, tfidf.parse({ dim, stem }, ''), {});
  const python = await pythonTask('scikit-learn', ['lsa', path, String(dim)]);
  const ways: Way[] = [
    { name: 'nigh: words by Unicode, stems; its loss measured', run: () => timed(() => fit(true)) },
    { name: 'nigh without stems', run: () => timed(() => fit(false)) },
    { name: 'JavaScript by hand: no stems', run: () => timed(async () => lsaByHand(corpus.texts, dim)) },
    ...(python === undefined ? [] : [{ name: `Python, ${python.version}: no stems`, run: () => python.run() }]),
  ];
  await compareWays(`TF-IDF and LSA in ${dim} dimensions of ${corpus.about}`, corpus.texts.length, ways, repeats);
  const { notes } = await fit(false);
  say(
    `  Of the ten nearest by words among the ten nearest by vectors, without stems: nigh ${Number(notes.lsaOverlapAt10).toFixed(3)}` +
      (python === undefined ? '' : `, Python ${(await python.quality()).toFixed(3)}`),
  );
  python?.close();
}

/** Means of word vectors, the reading of the vectors included. */
export function titleSpeed(repeats: number): Promise<void> {
  return withDirectory((directory) => titleSpeedIn(directory, repeats));
}

async function titleSpeedIn(directory: string, repeats: number): Promise<void> {
  const corpus = await manyTitles(100_000);
  if (corpus === undefined) return say('GloVe: left out, NIGH_DATA has no goodbooks-10k-v1 or lastfm-2k.');
  const { path, dataset } = await datasetOf(corpus.texts, directory);
  const { words, matrix } = await readWordVectors('glove-6b-100d', () => true, here);
  const files = { words: join(directory, 'words.txt'), vectors: join(directory, 'vectors.f32') };
  await writeFile(files.words, `${words.join('\n')}\n`);
  await writeFile(files.vectors, matrix.data);
  const fit = (weighting: string) => glove.fit(dataset, glove.parse({ weighting }, ''), {});
  const python = await pythonTask('NumPy', ['glove', path, files.words, files.vectors, String(matrix.dim)]);
  const ways: Way[] = [
    { name: 'nigh, mean', run: () => timed(() => fit('mean')) },
    { name: 'nigh, sif', run: () => timed(() => fit('sif')) },
    { name: 'JavaScript by hand, mean', run: () => timed(() => meansByHand(corpus.texts, files, matrix.dim)) },
    ...(python === undefined ? [] : [{ name: `Python, ${python.version}, mean`, run: () => python.run() }]),
  ];
  await compareWays(
    `GloVe, 341,479 words read and means taken, of ${corpus.about}`,
    corpus.texts.length,
    ways,
    repeats,
  );
  const { items } = await fit('mean');
  const byHand = (await meansByHand(corpus.texts, files, matrix.dim)).filter((mean) => mean !== undefined).length;
  say(
    `  Titles with a vector: nigh ${items.ordinals.length}, by hand ${byHand}` +
      (python === undefined ? '' : `, Python ${await python.quality()}`),
  );
  python?.close();
}

/** Pictures through a model. */
export function pictureSpeed(repeats: number): Promise<void> {
  return withDirectory((directory) => pictureSpeedIn(directory, repeats));
}

async function pictureSpeedIn(directory: string, repeats: number): Promise<void> {
  if (dataFile('models/SqueezeNet_fp16.onnx') === undefined) {
    return say('Pictures: left out, NIGH_DATA has no models/SqueezeNet_fp16.onnx.');
  }
  const { dataset, paths } = await pictureFiles(directory, 500);
  const model = (await fetchDataset('squeezenet')).path;
  let caches = 0;
  const fit = (name: string, cache: string) =>
    image.fit(dataset, image.parse({ model: name }, ''), { environment: { ...process.env, NIGH_CACHE: cache } });
  const fresh = async (name: string) => {
    const cache = join(directory, `cache-${caches++}`);
    await mkdir(cache);
    return timed(() => fit(name, cache));
  };
  const kept = join(directory, 'kept');
  await mkdir(kept);
  const byHand = async () => {
    const network = await squeezenetByHand(model);
    for (const path of paths) await network.embed(path);
    await network.close();
  };
  const ways: Way[] = [
    { name: 'nigh, squeezenet', run: () => fresh('squeezenet') },
    { name: 'JavaScript by hand, squeezenet: sharp and onnxruntime-node', run: () => timed(byHand) },
    { name: 'nigh, color-edges', run: () => fresh('color-edges') },
    { name: 'nigh, squeezenet, a second build: from the cache', run: () => timed(() => fit('squeezenet', kept)) },
  ];
  await compareWays(
    `${paths.length} pictures, OpenMoji as SVG; models loaded and opened each time`,
    paths.length,
    ways,
    repeats,
  );
}

/** Some emoji as files with a table. */
async function pictureFiles(directory: string, count: number): Promise<{ dataset: Dataset; paths: readonly string[] }> {
  const { items, pictures } = await openmoji();
  const step = Math.floor(items.size / count);
  const ids = items.terms.filter((_, item) => item % step === 0).slice(0, count);
  for (const id of ids) await writeFile(join(directory, `${id}.svg`), (await pictures!.read(id)) ?? '');
  await writeFile(
    join(directory, 'emoji.jsonl'),
    ids.map((id) => `${JSON.stringify({ id, file: `${id}.svg` })}\n`).join(''),
  );
  const table = { path: 'emoji.jsonl', id: 'id', picture: 'file' };
  const dataset = await loadDataset({ source: 'jsonl', items: table }, { baseDirectory: directory });
  return { dataset, paths: ids.map((id) => join(directory, `${id}.svg`)) };
}

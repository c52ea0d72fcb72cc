// Writes the golden files of the formats that this release writes, with the answers that it gives from them:
//   node test/golden/make.mjs collection-v1
// They are never rewritten: every later release has to open them and to give the same answers. A new version of a format gets a new folder.
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  buildCollection,
  CsrMatrix,
  FlatIndex,
  HnswIndex,
  HnswlibIndex,
  parseRecipe,
  Retriever,
  SparseIndex,
} from 'nigh';
import { collectionAnswers, indexAnswers } from './answers.mjs';

const makers = {
  'collection-v1': makeCollection,
  'index-v1': makeIndexes,
  'index-v2': makeWideIndexes,
  'journal-v1': makeJournal,
};
const [name = ''] = process.argv.slice(2);
if (makers[name] === undefined) throw new Error(`expected one of ${Object.keys(makers).join(', ')}`);
const target = join(import.meta.dirname, name);
if (existsSync(target)) throw new Error(`${name} is there: golden files are never rewritten`);

const themes = ['river', 'desert', 'opera'];
const words = ['song', 'story', 'garden', 'keeper'];

async function makeCollection() {
  const folder = await mkdtemp(join(tmpdir(), 'nigh-golden-'));
  const items = themes.flatMap((theme) =>
    Array.from({ length: 10 }, (_, n) => ({
      id: `${theme}-${n}`,
      title: `The ${theme} ${words[n % words.length]} ${n}`,
      genres: [theme],
      year: 1990 + n,
    })),
  );
  const likes = themes.flatMap((theme, t) =>
    Array.from({ length: 6 }, (_, u) =>
      items
        .filter((item, i) => (item.id.startsWith(theme) ? (i * 7 + u * 3) % 5 < 3 : (i + u + t) % 11 === 0))
        .map(({ id }) => ({ user: `user-${t}-${u}`, item: id })),
    ).flat(),
  );
  const lines = (records) => records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await writeFile(join(folder, 'items.jsonl'), lines(items));
  await writeFile(join(folder, 'likes.jsonl'), lines(likes));
  const text = { embedding: 'tfidf', fields: { title: 1, genres: 1 }, dim: 6 };
  const recipe = {
    name: 'golden',
    title: 'A golden collection',
    dataset: {
      source: 'jsonl',
      items: {
        path: 'items.jsonl',
        id: 'id',
        title: 'title',
        columns: { genres: { type: 'tags' }, year: { type: 'number' } },
      },
      interactions: { path: 'likes.jsonl', user: 'user', item: 'item' },
      origin: { name: 'golden', licence: 'public domain', source: 'made here' },
    },
    spaces: {
      cf: { embedding: 'als', factors: 5, iterations: 5, index: { kind: 'hnsw', M: 4 } },
      text: { ...text, index: { kind: 'flat' } },
      near: { ...text, index: { kind: 'hnswlib', M: 4 } },
      words: { ...text, output: 'sparse' },
    },
  };
  const built = join(folder, 'built');
  await buildCollection(parseRecipe(JSON.stringify(recipe, null, 2), folder), built, { threads: 1 });
  await cp(built, join(target, 'collection'), { recursive: true });
  await rm(folder, { recursive: true });
  const world = await Retriever.open(join(target, 'collection'));
  await writeFile(join(target, 'answers.json'), JSON.stringify(await collectionAnswers(world)));
  await world.close();
}

async function makeIndexes() {
  const [rows, dim] = [24, 9];
  const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.fround(Math.sin(i * 1.7) + Math.cos(i * 0.31)));
  const bits = Uint8Array.from({ length: rows * 2 }, (_, i) => (i % 2 === 1 ? 1 : (i * 37 + 11) % 256));
  const ids = Array.from({ length: rows }, (_, i) => 3 * i + 1);
  const matrix = { data, rows, dim };
  const hnsw = (metric, more = {}) => HnswIndex.build(matrix, { metric, ids, M: 4, threads: 1, ...more });
  const offsets = Uint32Array.from({ length: rows + 1 }, (_, r) => 3 * r);
  const columns = Uint32Array.from({ length: 3 * rows }, (_, e) => (e % 3) * 3 + (Math.floor(e / 3) % 3));
  const values = Float32Array.from({ length: 3 * rows }, (_, e) => 1 + (e % 5));
  const made = {
    'flat-l2': FlatIndex.build(matrix, { metric: 'l2', ids }),
    'flat-cosine': FlatIndex.build(matrix, { metric: 'cosine', ids }),
    'flat-hamming': FlatIndex.build({ data: bits, rows, dim }, { metric: 'hamming', ids }),
    'hnsw-sq8-cosine': hnsw('cosine'),
    'hnsw-sq8-ip': hnsw('ip'),
    'hnsw-f16-l1': hnsw('l1', { quantization: 'f16' }),
    'hnsw-none-l2': hnsw('l2', { quantization: 'none' }),
    'hnsw-jaccard': HnswIndex.build({ data: bits, rows, dim }, { metric: 'jaccard', ids, M: 4, threads: 1 }),
    'hnswlib-cosine': HnswlibIndex.build(matrix, { metric: 'cosine', ids, M: 4 }),
    'sparse-cosine': SparseIndex.build(new CsrMatrix(rows, dim, offsets, columns, values), { metric: 'cosine', ids }),
  };
  await write(made);
}

/** Of dimensions at which the terms of codes are a section of their own. The same in index-v1 are from before they were. */
async function makeWideIndexes() {
  const [rows, dim] = [24, 64];
  const data = Float32Array.from({ length: rows * dim }, (_, i) => Math.fround(Math.sin(i * 1.7) + Math.cos(i * 0.31)));
  const ids = Array.from({ length: rows }, (_, i) => 3 * i + 1);
  const hnsw = (metric) => HnswIndex.build({ data, rows, dim }, { metric, ids, M: 4, threads: 1 });
  await write({ 'hnsw-wide-l2': hnsw('l2'), 'hnsw-wide-cosine': hnsw('cosine'), 'hnsw-wide-ip': hnsw('ip') });
}

async function write(made) {
  await mkdir(target);
  const answers = {};
  for (const [kind, building] of Object.entries(made)) {
    const index = await building;
    await index.save(join(target, `${kind}.ann`));
    answers[kind] = await indexAnswers(index);
    index.close();
  }
  await writeFile(join(target, 'answers.json'), JSON.stringify(answers));
}

/** Changes of every kind to the first golden collection. */
async function makeJournal() {
  const folder = await mkdtemp(join(tmpdir(), 'nigh-golden-'));
  await cp(join(import.meta.dirname, 'collection-v1/collection'), folder, { recursive: true });
  const world = await Retriever.open(folder, { write: true, compactAfter: 0 });
  await world.upsertItem('river-new', { title: 'The river song again', attributes: { genres: ['river'], year: 2001 } });
  await world.upsertItem(
    'desert-2',
    { attributes: { genres: ['desert', 'opera'], year: 1980 } },
    { requestId: 'once' },
  );
  await world.upsertItem('near-1', { title: 'Given', vectors: { near: [1, 0, 0, 0.5, 0, 0] } });
  await world.deleteItem('opera-8');
  await world.addInteractions([
    { user: 'user-1-2', item: 'opera-1' },
    { user: 'somebody new', item: 'river-3', value: 2, timestamp: 1_700_000_000 },
  ]);
  await world.forgetUser('user-0-0');
  const answers = await collectionAnswers(world);
  await world.close();
  await mkdir(target);
  await cp(join(folder, 'journal/data.mdb'), join(target, 'data.mdb'));
  await writeFile(join(target, 'answers.json'), JSON.stringify(answers));
  await rm(folder, { recursive: true });
}

await makers[name]();

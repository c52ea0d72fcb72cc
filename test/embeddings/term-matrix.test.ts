import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitTerms, type TermParams, type Weighting, weighDocument } from '../../src/embeddings/term-matrix.js';

const words = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 12,
});
const paramsOf = fc.record({
  weighting: fc.oneof(
    fc.record({
      kind: fc.constant('tfidf' as const),
      sublinear: fc.boolean(),
      idf: fc.constantFrom('smooth' as const, 'plain' as const),
    }),
    fc.record({ kind: fc.constant('bm25' as const), k1: fc.constantFrom(0, 1.2, 5), b: fc.constantFrom(0, 0.75, 1) }),
  ),
  minDocuments: fc.integer({ min: 1, max: 3 }),
  maxDocumentShare: fc.constantFrom(0.4, 0.8, 1),
  maxTerms: fc.integer({ min: 1, max: 6 }),
});

/** The formulas of the book, one document and one term at a time. */
function naive(titles: string[][], tags: string[][], tagWeight: number, params: TermParams) {
  const documents = titles.map((title, i) => [title, tags[i] ?? []] as const);
  const total = documents.filter(([title, tag]) => title.length + tag.length > 0).length;
  const holds = (i: number, term: string) => documents[i]!.some((field) => field.includes(term));
  const frequency = (term: string) => documents.filter((_, i) => holds(i, term)).length;
  const terms = ['a', 'b', 'c', 'd', 'e', 'f']
    .filter((t) => frequency(t) >= params.minDocuments && frequency(t) <= params.maxDocumentShare * total)
    .sort((a, b) => frequency(b) - frequency(a) || (a < b ? -1 : 1))
    .slice(0, params.maxTerms)
    .sort();
  const { weighting } = params;
  const count = (field: readonly string[], t: string) => field.filter((word) => word === t).length;
  const lengths = documents.map(([title, tag]) => title.length + tagWeight * tag.length);
  const mean = lengths.reduce((sum, n) => sum + n, 0) / total;
  const weight = (t: string, title: readonly string[], tag: readonly string[], length: number): number => {
    const df = frequency(t);
    if (weighting.kind === 'bm25') {
      const n = count(title, t) + tagWeight * count(tag, t);
      const { k1, b } = weighting;
      if (n === 0) return 0;
      return (
        ((n * (k1 + 1)) / (n + k1 * (1 - b + (b * length) / mean))) * Math.log(1 + (total - df + 0.5) / (df + 0.5))
      );
    }
    const tf = (n: number) => (n === 0 ? 0 : weighting.sublinear ? 1 + Math.log(n) : n);
    const idf = weighting.idf === 'plain' ? Math.log(total / df) : 1 + Math.log((1 + total) / (1 + df));
    return (tf(count(title, t)) + tagWeight * tf(count(tag, t))) * idf;
  };
  const rows = documents.map(([title, tag], i) => {
    const weights = terms.map((t) => weight(t, title, tag, lengths[i]!));
    const length = Math.hypot(...weights);
    return length === 0 ? undefined : weights.map((w) => w / length);
  });
  return { terms, rows };
}

describe('fitTerms', () => {
  it('gives the unit tf-idf rows of the book, for every choice of weights and bounds', async () => {
    await fc.assert(
      fc.asyncProperty(
        words,
        words,
        fc.constantFrom(0.5, 1, 3),
        paramsOf,
        async (titles, tagLists, tagWeight, params) => {
          const tags = titles.map((_, i) => tagLists[i] ?? []);
          const fields = [
            { name: 'title', weight: 1, tokens: (i: number) => titles[i]! },
            { name: 'tags', weight: tagWeight, tokens: (i: number) => tags[i]! },
          ];
          const fitted = await fitTerms(titles.length, fields, params, {});
          const expected = naive(titles, tags, tagWeight, params);
          expect(fitted.model.terms).toEqual(expected.terms);
          expect([...fitted.ordinals]).toEqual(expected.rows.flatMap((row, i) => (row === undefined ? [] : [i])));
          fitted.ordinals.forEach((item, r) => {
            const { columns, values } = fitted.matrix.row(r);
            expect([...columns]).toEqual([...columns].sort((a, b) => a - b));
            const dense = new Array<number>(fitted.model.terms.length).fill(0);
            columns.forEach((column, e) => {
              dense[column] = values[e]!;
            });
            dense.forEach((value, column) => {
              expect(value).toBeCloseTo(expected.rows[item]![column]!, 5);
            });
          });
        },
      ),
    );
  });

  it('weighs a new document as a fitted one of the same words', async () => {
    const titles = [
      ['a', 'b', 'b'],
      ['a', 'c'],
      ['b', 'c', 'd'],
      ['d', 'a'],
    ];
    const weightings: Weighting[] = [
      { kind: 'tfidf', sublinear: true, idf: 'smooth' },
      { kind: 'bm25', k1: 1.2, b: 0.75 },
    ];
    for (const weighting of weightings) {
      const params = { weighting, minDocuments: 2, maxDocumentShare: 1, maxTerms: 10 };
      const fields = [{ name: 'title', weight: 2, tokens: (i: number) => titles[i]! }];
      const { model, matrix } = await fitTerms(4, fields, params, {});
      const ordinals = new Map(model.terms.map((term, t) => [term, t]));
      titles.forEach((tokens, r) => {
        const { columns, values } = matrix.row(r);
        const weighed = weighDocument([{ weight: 2, tokens }], ordinals, model);
        expect(weighed.map(({ ordinal }) => ordinal)).toEqual([...columns]);
        weighed.forEach(({ value }, e) => {
          expect(value).toBeCloseTo(values[e]!, 6);
        });
      });
      expect(weighDocument([{ weight: 1, tokens: ['unknown'] }], ordinals, model)).toEqual([]);
    }
  });

  it('stops when its signal fires', async () => {
    const signal = AbortSignal.abort();
    const weighting = { kind: 'bm25', k1: 1.2, b: 0.75 } as const;
    const params = { weighting, minDocuments: 1, maxDocumentShare: 1, maxTerms: 10 };
    await expect(fitTerms(1, [], params, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

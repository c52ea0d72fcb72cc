import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitTerms, type TermParams, weighTokens } from '../../src/embeddings/term-matrix.js';

const words = fc.array(fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 12,
});
const paramsOf = fc.record({
  sublinear: fc.boolean(),
  idf: fc.constantFrom('smooth' as const, 'plain' as const),
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
  const tf = (count: number) => (count === 0 ? 0 : params.sublinear ? 1 + Math.log(count) : count);
  const idf = (t: string) =>
    params.idf === 'plain' ? Math.log(total / frequency(t)) : 1 + Math.log((1 + total) / (1 + frequency(t)));
  const rows = documents.map(([title, tag]) => {
    const weights = terms.map((t) => {
      const count = (field: readonly string[]) => field.filter((word) => word === t).length;
      return (tf(count(title)) + tagWeight * tf(count(tag))) * idf(t);
    });
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
            { weight: 1, tokens: (i: number) => titles[i]! },
            { weight: tagWeight, tokens: (i: number) => tags[i]! },
          ];
          const fitted = await fitTerms(titles.length, fields, (text) => [text], params, {});
          const expected = naive(titles, tags, tagWeight, params);
          expect(fitted.terms).toEqual(expected.terms);
          expect([...fitted.ordinals]).toEqual(expected.rows.flatMap((row, i) => (row === undefined ? [] : [i])));
          fitted.ordinals.forEach((item, r) => {
            const { columns, values } = fitted.matrix.row(r);
            expect([...columns]).toEqual([...columns].sort((a, b) => a - b));
            const dense = new Array<number>(fitted.terms.length).fill(0);
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
    const params = { sublinear: true, idf: 'smooth', minDocuments: 2, maxDocumentShare: 1, maxTerms: 10 } as const;
    const fitted = await fitTerms(4, [{ weight: 1, tokens: (i) => titles[i]! }], () => [], params, {});
    const ordinals = new Map(fitted.terms.map((term, t) => [term, t]));
    titles.forEach((title, r) => {
      const { columns, values } = fitted.matrix.row(r);
      const weighed = weighTokens(title, ordinals, fitted.idf, true);
      expect(weighed.map(({ ordinal }) => ordinal)).toEqual([...columns]);
      weighed.forEach(({ value }, e) => {
        expect(value).toBeCloseTo(values[e]!, 6);
      });
    });
    expect(weighTokens(['unknown'], ordinals, fitted.idf, true)).toEqual([]);
  });

  it('stops when its signal fires', async () => {
    const signal = AbortSignal.abort();
    const params = { sublinear: true, idf: 'smooth', minDocuments: 1, maxDocumentShare: 1, maxTerms: 10 } as const;
    await expect(fitTerms(1, [], () => [], params, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

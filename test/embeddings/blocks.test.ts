import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Matrix, row } from '../../src/core/matrix.js';
import { type Block, weighBlocks } from '../../src/embeddings/blocks.js';
import { concat } from '../../src/embeddings/concat.js';
import type { Embedder, FittedSpace, Vectors } from '../../src/embeddings/embedding.js';
import { catalogueOf, dot } from './support.js';

const items = 12;
const catalogue = catalogueOf(Array.from({ length: items }, (_, i) => `item ${i}`));

/** Vectors of some items, with lengths that must not matter. */
const part = fc
  .record({
    dim: fc.integer({ min: 1, max: 5 }),
    has: fc.array(fc.boolean(), { minLength: items, maxLength: items }),
    values: fc.infiniteStream(fc.integer({ min: -9, max: 9 })),
  })
  .map(({ dim, has, values }): Vectors => {
    const ordinals = Uint32Array.from(has.keys()).filter((item) => has[item] === true);
    const data = Float32Array.from({ length: ordinals.length * dim }, () => values.next().value ?? 1);
    return { ordinals, matrix: { data, rows: ordinals.length, dim } };
  });
const weights = fc.record({ a: fc.integer({ min: 1, max: 9 }), b: fc.integer({ min: 1, max: 9 }) });

const spaceOf = (vectors: Vectors): FittedSpace => ({ items: vectors, model: {}, notes: {} });

function fitted(a: Vectors, b: Vectors, of: Readonly<Record<string, number>>): Promise<FittedSpace> {
  const spaces = new Map([
    ['a', spaceOf(a)],
    ['b', spaceOf(b)],
  ]);
  return concat.fit(catalogue, concat.parse({ of }, 'both'), { spaces });
}

/** The cosine of two items in one space; 0 where one of them has no vector, or none with a direction. */
function cosine({ matrix, ordinals }: Vectors, x: number, y: number): number {
  const [first, second] = [ordinals.indexOf(x), ordinals.indexOf(y)];
  if (first < 0 || second < 0) return 0;
  const [v, w] = [row(matrix, first), row(matrix, second)];
  const product = Math.sqrt(dot(v, v)) * Math.sqrt(dot(w, w));
  return product === 0 ? 0 : dot(v, w) / product;
}

const vectorOf = ({ matrix, ordinals }: Vectors, item: number) => {
  const r = ordinals.indexOf(item);
  return r < 0 ? undefined : row(matrix, r);
};

describe('blocks side by side', () => {
  it('have the weighted sum of their cosines for an inner product, over the blocks that both items have', async () => {
    await fc.assert(
      fc.asyncProperty(part, part, weights, async (a, b, of) => {
        const space = await fitted(a, b, of);
        for (let x = 0; x < items; x++) {
          for (let y = x; y < items; y++) {
            const [v, w] = [vectorOf(space.items, x), vectorOf(space.items, y)];
            const expected = (of.a * cosine(a, x, y) + of.b * cosine(b, x, y)) / (of.a + of.b);
            if (v === undefined || w === undefined) expect(expected).toBe(0);
            else expect(dot(v, w)).toBeCloseTo(expected, 5);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('answer a question with other weights as a rebuild with those weights would', async () => {
    await fc.assert(
      fc.asyncProperty(part, part, weights, weights, async (a, b, of, others) => {
        const [built, rebuilt] = [await fitted(a, b, of), await fitted(a, b, others)];
        expect(built.items.ordinals).toEqual(rebuilt.items.ordinals);
        for (const x of built.items.ordinals) {
          const question = weighBlocks(vectorOf(built.items, x)!, built.blocks!, others)!;
          const expected = vectorOf(rebuilt.items, x)!;
          for (const y of built.items.ordinals) {
            expect(dot(question, vectorOf(built.items, y)!)).toBeCloseTo(dot(expected, vectorOf(rebuilt.items, y)!), 4);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('have no question of which every weighed block is lacking, and none of unknown blocks', () => {
    const blocks: Block[] = [
      { name: 'text', weight: 0.5, dim: 1 },
      { name: 'image', weight: 0.5, dim: 1 },
    ];
    expect(weighBlocks(Float32Array.of(1, 0), blocks, { image: 1 })).toBeUndefined();
    expect(() => weighBlocks(Float32Array.of(1, 0), blocks, { imge: 1 })).toThrow(/weights\.imge: .*image/);
  });
});

describe('the embedding concat', () => {
  const matrix: Matrix = { data: Float32Array.of(3, 4, 1, 0), rows: 2, dim: 2 };
  const a: Vectors = { matrix, ordinals: Uint32Array.of(0, 5) };
  const b: Vectors = { matrix: { data: Float32Array.of(2), rows: 1, dim: 1 }, ordinals: Uint32Array.of(5) };

  it('counts who has which block, and leaves out who has none', async () => {
    const { items: vectors, notes, blocks } = await fitted(a, b, { a: 1, b: 3 });
    expect([...vectors.ordinals]).toEqual([0, 5]);
    expect(notes).toEqual({ 'itemsWith.a': 2, 'itemsWith.b': 1, withoutVector: items - 2 });
    expect(blocks).toEqual([
      { name: 'a', weight: 0.25, dim: 2 },
      { name: 'b', weight: 0.75, dim: 1 },
    ]);
  });

  it('places content by the embedders of its spaces, and closes them', async () => {
    const space = await fitted(a, b, { a: 1, b: 3 });
    const closed: string[] = [];
    const open = async (name: string): Promise<Embedder> => ({
      dim: name === 'a' ? 2 : 1,
      embed: async ({ text }) =>
        name === 'b' ? (text === 'b' ? Float32Array.of(7) : undefined) : Float32Array.of(1, 0),
      close: async () => {
        closed.push(name);
      },
    });
    const embedder = await concat.openEmbedder!(structuredClone(space.model), open);
    expect(await embedder.embed({ text: 'b' })).toEqual(vectorOf(space.items, 5));
    expect(await embedder.embed({ text: 'a' })).toEqual(Float32Array.of(0.5, 0, 0));
    await embedder.close!();
    expect(closed).toEqual(['a', 'b']);
    const short = async (name: string) => ({ ...(await open(name)), dim: 1 });
    await expect(concat.openEmbedder!(space.model, short)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(concat.openEmbedder!(space.model)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(concat.openEmbedder!({ of: { a: 1 } }, open)).rejects.toMatchObject({ code: 'FORMAT' });
  });

  it('refuses weights that weigh nothing', () => {
    expect(() => concat.parse({ of: { a: 1, b: 0 } }, 'spaces.both')).toThrow(/spaces\.both\.of\.b: .*above 0/);
    expect(() => concat.parse({ of: {} }, 'spaces.both')).toThrow(/spaces\.both\.of/);
    expect(() => concat.parse({}, 'spaces.both')).toThrow(/spaces\.both\.of/);
  });
});

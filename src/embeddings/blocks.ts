/**
 * Vectors of several blocks side by side, one for each thing that is known of an item: columns (features), other spaces (concat).
 *
 *   x = [√w_1 u_1, √w_2 u_2, …]      u_b: block b at unit length, w_b: its share of the weights, which sum to 1
 *
 * The inner product of two such vectors is Σ w_b cos_b. A block that an item lacks is zeros, so the sum runs over the blocks that both
 * have: what is not known of one of them is nothing in common. Hence such vectors are compared by inner product and not by cosine,
 * which would take an item of which less is known for the more alike.
 *
 * Other weights w' need no other vectors, only another question: with block b of it times w'_b / w_b the inner product is Σ w'_b cos_b.
 */
import { invalidArgument, NighError } from '../core/errors.js';
import { type Matrix, row, zeros } from '../core/matrix.js';
import { didYouMean } from '../core/nearest-name.js';
import { type Field, isPlainObject, joinPath, number } from '../core/params.js';
import type { Vectors } from './embedding.js';

/** One block of the vectors of a space. The blocks lie side by side in the order given. */
export interface Block {
  readonly name: string;
  /** Its share of the likeness, above 0; the shares of a space sum to 1. */
  readonly weight: number;
  /** How many values of a vector are its. */
  readonly dim: number;
}

const anyWeight = number({ min: 0, max: 1e6 });

/**
 * Weights by the name of a block: none below 0, at least one above.
 * @throws NighError INVALID_ARGUMENT naming `path`
 */
export function readBlockWeights(value: unknown, path: string): Readonly<Record<string, number>> {
  const expected = 'an object of names and weights, such as { "text": 0.6, "image": 0.4 }';
  if (!isPlainObject(value)) throw invalidArgument(path, expected, value);
  const weights = Object.fromEntries(
    Object.entries(value).map(([name, weight]) => [name, anyWeight.read(weight, joinPath(path, name))]),
  );
  if (!Object.values(weights).some((weight) => weight > 0)) {
    throw invalidArgument(path, `${expected}, one of them above 0`, value);
  }
  return weights;
}

export const blockWeights: Field<Readonly<Record<string, number>>> = { read: readBlockWeights, optional: false };

/** Weights as shares of their sum. */
export function toShares(weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  return Object.fromEntries(Object.entries(weights).map(([name, weight]) => [name, weight / sum]));
}

export interface ComposedBlocks {
  /** Vectors of the items that have at least one block. */
  readonly vectors: Vectors;
  /** How many items have it, by the name of the block. */
  readonly coverage: Readonly<Record<string, number>>;
}

/**
 * Puts blocks side by side. A row of length zero counts as lacking.
 * @param parts what the items' vectors are in every block, of any length
 * @param items how many items there are, with and without vectors
 */
export function composeBlocks(blocks: readonly Block[], parts: readonly Vectors[], items: number): ComposedBlocks {
  const lengths = parts.map(({ matrix }) =>
    Float64Array.from({ length: matrix.rows }, (_, r) => length(row(matrix, r))),
  );
  const known = new Uint8Array(items);
  const coverage: Record<string, number> = {};
  parts.forEach(({ ordinals }, b) => {
    let count = 0;
    ordinals.forEach((item, r) => {
      if (lengths[b]![r] === 0) return;
      known[item] = 1;
      count++;
    });
    coverage[blocks[b]!.name] = count;
  });
  const ordinals = Uint32Array.from(known.keys()).filter((item) => known[item] === 1);
  const rowOf = new Uint32Array(items);
  ordinals.forEach((item, r) => {
    rowOf[item] = r;
  });
  const matrix = zeros(ordinals.length, totalDim(blocks));
  let offset = 0;
  parts.forEach((part, b) => {
    const { weight, dim } = blocks[b]!;
    part.ordinals.forEach((item, r) => {
      if (lengths[b]![r] === 0) return;
      placeBlock(matrix, rowOf[item]!, offset, row(part.matrix, r), Math.sqrt(weight) / lengths[b]![r]!);
    });
    offset += dim;
  });
  return { vectors: { matrix, ordinals }, coverage };
}

/** The vector of one new thing, of the blocks that are known of it; undefined where none is. */
export function composeVector(
  blocks: readonly Block[],
  parts: readonly (Float32Array | undefined)[],
): Float32Array | undefined {
  const matrix = zeros(1, totalDim(blocks));
  let offset = 0;
  let isKnown = false;
  blocks.forEach(({ weight, dim }, b) => {
    const part = parts[b];
    const size = part === undefined ? 0 : length(part);
    if (part !== undefined && size > 0) {
      placeBlock(matrix, 0, offset, part, Math.sqrt(weight) / size);
      isKnown = true;
    }
    offset += dim;
  });
  return isKnown ? matrix.data : undefined;
}

/**
 * The question that asks with other weights: block b of the vector times w'_b / w_b. A block that is not named weighs nothing. Undefined
 * where the vector has none of the blocks that weigh something.
 * @throws NighError INVALID_ARGUMENT for a block that is not there
 */
export function weighBlocks(
  vector: Float32Array,
  blocks: readonly Block[],
  weights: Readonly<Record<string, number>>,
): Float32Array | undefined {
  requireBlocks(blocks, weights);
  const shares = toShares(weights);
  const weighed = new Float32Array(vector.length);
  let offset = 0;
  for (const { name, weight, dim } of blocks) {
    const factor = (shares[name] ?? 0) / weight;
    for (let d = offset; d < offset + dim; d++) weighed[d] = factor * vector[d]!;
    offset += dim;
  }
  return weighed.some((value) => value !== 0) ? weighed : undefined;
}

function requireBlocks(blocks: readonly Block[], weights: Readonly<Record<string, number>>): void {
  const names = blocks.map(({ name }) => name);
  for (const name of Object.keys(weights)) {
    if (names.includes(name)) continue;
    const hint = didYouMean(name, names) || ` The blocks are: ${names.join(', ')}.`;
    throw new NighError('INVALID_ARGUMENT', `weights.${name}: there is no such block.${hint}`);
  }
}

function totalDim(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { dim }) => sum + dim, 0);
}

function placeBlock({ data, dim }: Matrix, r: number, offset: number, part: Float32Array, factor: number): void {
  for (let d = 0; d < part.length; d++) data[r * dim + offset + d] = factor * part[d]!;
}

function length(vector: Float32Array): number {
  let squares = 0;
  for (const value of vector) squares += value * value;
  return Math.sqrt(squares);
}

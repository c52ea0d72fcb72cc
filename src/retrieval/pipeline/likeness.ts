/**
 * A score as a likeness from 0 to 1, for display; it rises with the score. A cosine, and the likeness of a factor space, are one already where they
 * are not below 0. A model's own score, an inner product without bounds, is measured by the scores of a fixed sample of items with
 * the same user: 1 − 2^(−z / 3), z being how many standard deviations it lies above their mean. A typical item gets 0, one at 3 a half.
 */
import { mulberry32 } from '../../core/random.js';
import type { VectorIndex } from '../../index/vector-index.js';
import type { Source } from '../questions/sources.js';
import type { Request, Scored } from './stages.js';

const sampleSize = 256;
const deviationsOfHalf = 3;

/** The likeness of positions of `scored`. */
export function likenessesOf(
  { sources, query, collection }: Request,
  { bySource }: Scored,
  positions: Uint32Array,
): Float64Array {
  const scales = sources.map((source) => scaleOf(source, collection.catalogue.size));
  const likenesses = new Float64Array(positions.length);
  for (let at = 0; at < positions.length; at++) {
    let sum = 0;
    let weights = 0;
    for (let s = 0; s < sources.length; s++) {
      const score = bySource[s]![positions[at]!]!;
      if (Number.isNaN(score)) continue;
      const { weight } = sources[s]!;
      sum += weight * scales[s]!(score);
      weights += weight;
    }
    likenesses[at] = clamp(query.missing === 'zero' || weights === 0 ? sum : sum / weights);
  }
  return likenesses;
}

type Scale = (score: number) => number;

function scaleOf(source: Source, items: number): Scale {
  if (source.kind === 'listed') {
    const { lowest, highest } = source;
    return (score) => (highest > lowest ? (score - lowest) / (highest - lowest) : 1);
  }
  if (source.index === source.space.similar) return clamp;
  const { mean, deviation } = backgroundOf(source.index, source.vector, items);
  if (deviation === 0) return (score) => (score > mean ? 1 : 0);
  return (score) => 1 - 2 ** (-Math.max(0, (score - mean) / deviation) / deviationsOfHalf);
}

function backgroundOf(index: VectorIndex, vector: Float32Array, items: number): { mean: number; deviation: number } {
  const sample = sampleOf(index, items);
  if (sample.length === 0) return { mean: 0, deviation: 0 };
  let sum = 0;
  let squares = 0;
  for (const other of sample) {
    let score = 0;
    for (let d = 0; d < vector.length; d++) score += vector[d]! * other[d]!;
    sum += score;
    squares += score * score;
  }
  const mean = sum / sample.length;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / sample.length - mean * mean)) };
}

const samples = new WeakMap<VectorIndex, readonly Float32Array[]>();

/** Vectors of items drawn once for an index, always the same. */
function sampleOf(index: VectorIndex, items: number): readonly Float32Array[] {
  const known = samples.get(index);
  if (known !== undefined) return known;
  const random = mulberry32(1);
  const sample: Float32Array[] = [];
  // Most items of a space of users have a vector; where few have, fewer will do.
  for (let tries = 0; tries < 16 * sampleSize && sample.length < sampleSize; tries++) {
    const vector = index.vector(Math.floor(random() * items));
    if (vector !== undefined) sample.push(vector);
  }
  samples.set(index, sample);
  return sample;
}

function clamp(score: number): number {
  return Math.min(1, Math.max(0, score));
}

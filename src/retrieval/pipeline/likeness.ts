/**
 * A score as a likeness from 0 to 1, for display; it rises with the score. A cosine, and the likeness of a factor space, are one already where they
 * are not below 0. A model's own score, an inner product without bounds, is measured by the scores of a fixed sample of items with
 * the same user: 1 − 2^(−z / 3), z being how many standard deviations it lies above their mean. A typical item gets 0, one at 3 a half.
 */
import { mulberry32 } from '../../core/random.js';
import type { VectorIndex } from '../../index/vector-index.js';
import { vectorsOf } from '../../index/vectors-of.js';
import type { Source } from '../questions/sources.js';
import type { Request, Scored } from './stages.js';

const sampleSize = 256;
const deviationsOfHalf = 3;

/** The likeness of positions of `scored`. */
export async function likenessesOf(
  { sources, query, collection }: Request,
  { bySource }: Scored,
  positions: Uint32Array,
): Promise<Float64Array> {
  const scales: Scale[] = [];
  for (const source of sources) {
    const scale = scaleOf(source, collection.catalogue.size);
    scales.push(scale instanceof Promise ? await scale : scale);
  }
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

function scaleOf(source: Source, items: number): Scale | Promise<Scale> {
  if (source.kind === 'listed') {
    const { lowest, highest } = source;
    return (score) => (highest > lowest ? (score - lowest) / (highest - lowest) : 1);
  }
  if (source.index === source.space.similar) return clamp;
  const sample = sampleOf(source.index, items);
  const { vector } = source;
  return sample instanceof Promise ? sample.then((drawn) => against(drawn, vector)) : against(sample, vector);
}

function against(sample: readonly Float32Array[], vector: Float32Array): Scale {
  const { mean, deviation } = backgroundOf(sample, vector);
  if (deviation === 0) return (score) => (score > mean ? 1 : 0);
  return (score) => 1 - 2 ** (-Math.max(0, (score - mean) / deviation) / deviationsOfHalf);
}

function backgroundOf(
  sample: readonly Float32Array[],
  vector: Float32Array,
): { readonly mean: number; readonly deviation: number } {
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

const samples = new WeakMap<VectorIndex, readonly Float32Array[] | Promise<readonly Float32Array[]>>();

/** Vectors of items drawn once for an index, always the same; at once where they need not be fetched. */
function sampleOf(index: VectorIndex, items: number): readonly Float32Array[] | Promise<readonly Float32Array[]> {
  const known = samples.get(index);
  if (known !== undefined) return known;
  const random = mulberry32(1);
  // Most items of a space of users have a vector; where few have, fewer will do.
  const tries = Array.from({ length: 16 * sampleSize }, () => Math.floor(random() * items));
  const sample =
    index.vectors === undefined ? firstVectors(tries, (id) => index.vector(id)) : fetchSample(index, tries);
  samples.set(index, sample);
  if (sample instanceof Promise) sample.catch(() => samples.delete(index));
  return sample;
}

async function fetchSample(index: VectorIndex, tries: readonly number[]): Promise<readonly Float32Array[]> {
  const distinct = Uint32Array.from(new Set(tries));
  const vectors = new Map<number, Float32Array | undefined>();
  for (const [at, vector] of (await vectorsOf(index, distinct)).entries()) vectors.set(distinct[at]!, vector);
  return firstVectors(tries, (id) => vectors.get(id));
}

function firstVectors(
  ids: readonly number[],
  vectorOf: (id: number) => Float32Array | undefined,
): readonly Float32Array[] {
  const sample: Float32Array[] = [];
  for (const id of ids) {
    const vector = vectorOf(id);
    if (vector !== undefined) sample.push(vector);
    if (sample.length === sampleSize) break;
  }
  return sample;
}

function clamp(score: number): number {
  return Math.min(1, Math.max(0, score));
}

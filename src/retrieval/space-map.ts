/**
 * A space on a plane, to be looked at: a sample of its items along the two directions in which they differ most (principal components), and
 * one item with its neighbours among them. Far apart on the plane is far apart in the space; near on the plane may be far in what it leaves out.
 * Who draws neighbours near to each other instead gets the links between them.
 */
import { NighError } from '../core/errors.js';
import type { Matrix } from '../core/matrix.js';
import { type Pca, pca, project } from '../embeddings/index.js';
import { FlatIndex } from '../index/flat-index.js';
import type { Collection } from './collection.js';
import type { Space } from './space.js';
import type { MapPoint, SpaceMap } from './types.js';

const sampleSize = 500;

/** Links of each point: its nearest in the sample. */
const linksEach = 5;

interface Plane {
  readonly axes: Pick<Pca, 'mean' | 'directions'>;
  readonly explained: number;
  readonly points: readonly MapPoint[];
  readonly sample: Matrix;
  /** Made when they are first asked for. */
  links: Promise<SampleLinks> | undefined;
}

interface SampleLinks {
  /** The sample's vectors, by their place in it. */
  readonly index: FlatIndex;
  readonly pairs: readonly Link[];
}

type Link = readonly [number, number];

interface Neighbour {
  /** By ordinal. */
  readonly item: number;
  readonly score: number;
}

/** One a space, made when it is first looked at. */
const planes = new WeakMap<Space, Promise<Plane>>();

/**
 * @param item the item to show with these neighbours, by ordinal
 * @param withLinks whether to tell which are near to each other
 * @throws NighError NO_VECTOR where the item has none in the space, EMPTY_DATASET where the space has fewer than three items
 */
export async function mapSpace(
  collection: Collection,
  space: Space,
  item: number | undefined,
  neighbours: readonly Neighbour[],
  withLinks: boolean,
): Promise<SpaceMap> {
  let plane = planes.get(space);
  if (plane === undefined) {
    plane = makePlane(collection, space);
    planes.set(space, plane);
    plane.catch(() => planes.delete(space));
  }
  const made = await plane;
  const { axes, explained, points } = made;
  const place = (ordinal: number) => placed(collection, space, axes, ordinal);
  const own = item === undefined ? undefined : await place(item);
  if (item !== undefined && own === undefined) {
    const id = JSON.stringify(collection.catalogue.id(item));
    throw new NighError('NO_VECTOR', `The item ${id} has no vector in the space ${space.name}.`);
  }
  const near = neighbours.filter((neighbour) => space.hasItem(neighbour.item));
  const ordinals = near.map((neighbour) => neighbour.item);
  const added = item === undefined ? ordinals : [item, ...ordinals];
  return {
    space: space.name,
    explained,
    points,
    ...(own === undefined ? {} : { item: own }),
    neighbours: (
      await Promise.all(near.map(async ({ item: ordinal, score }) => ({ point: await place(ordinal), score })))
    ).flatMap(({ point, score }) => (point === undefined ? [] : [{ ...point, score }])),
    ...(withLinks ? { links: await linksOf(made, space, added) } : {}),
  };
}

/** Those within the sample, and those of what is shown beside it. */
async function linksOf(plane: Plane, space: Space, added: readonly number[]): Promise<readonly Link[]> {
  plane.links ??= sampleLinks(plane, space);
  const { index, pairs } = await plane.links;
  if (added.length === 0) return pairs;
  const { rows: sampled } = plane.sample;
  const vectors = (await space.itemVectors(Uint32Array.from(added))).filter((vector) => vector !== undefined);
  const beside = await nearest(index, stacked(vectors, index.dim), (r) => sampled + r);
  // The item is linked with each of its neighbours.
  const star = added.slice(1).map((_, at): Link => [sampled, sampled + 1 + at]);
  return [...pairs, ...beside, ...star];
}

async function sampleLinks({ sample }: Plane, space: Space): Promise<SampleLinks> {
  const index = await FlatIndex.build(sample, { metric: space.similar.metric });
  return { index, pairs: await nearest(index, sample, (r) => r) };
}

/** Links from every row to its nearest in the sample; each once, and none to itself. */
async function nearest(index: FlatIndex, rows: Matrix, placeOf: (row: number) => number): Promise<Link[]> {
  const k = linksEach + 1;
  const { ids, counts } = await index.searchBatch(rows, k);
  const links = new Map<string, Link>();
  for (let r = 0; r < rows.rows; r++) {
    const from = placeOf(r);
    for (const to of ids.subarray(r * k, r * k + counts[r]!)) {
      if (to !== from) links.set(from < to ? `${from} ${to}` : `${to} ${from}`, from < to ? [from, to] : [to, from]);
    }
  }
  return [...links.values()];
}

function stacked(rows: readonly Float32Array[], dim: number): Matrix {
  const data = new Float32Array(rows.length * dim);
  rows.forEach((row, r) => {
    data.set(row, r * dim);
  });
  return { data, rows: rows.length, dim };
}

async function makePlane(collection: Collection, space: Space): Promise<Plane> {
  const { catalogue } = collection;
  const stride = Math.max(1, catalogue.size / sampleSize);
  const drawn: number[] = [];
  const ordinals: number[] = [];
  const rows: Float32Array[] = [];
  for (let at = 0; at < catalogue.size; at += stride) {
    drawn.push(Math.floor(at));
  }
  for (const [at, vector] of (await space.itemVectors(Uint32Array.from(drawn))).entries()) {
    if (vector === undefined) continue;
    ordinals.push(drawn[at]!);
    rows.push(vector);
  }
  const dim = space.similar.dim;
  if (rows.length < 3 || dim < 2) {
    throw new NighError('EMPTY_DATASET', `The space ${space.name} is too small for a map.`);
  }
  const sample = stacked(rows, dim);
  const axes = await pca(sample, { components: 2 });
  const total = axes.variances.reduce((sum, variance) => sum + variance, 0);
  const explained = total > 0 ? (axes.variances[0]! + axes.variances[1]!) / total : 0;
  const points = rows.map((vector, at) => pointAt(collection, ordinals[at]!, vector, axes));
  return { axes, explained, points, sample, links: undefined };
}

async function placed(
  collection: Collection,
  space: Space,
  axes: Plane['axes'],
  ordinal: number,
): Promise<MapPoint | undefined> {
  const vector = await space.itemVector(ordinal);
  return vector === undefined ? undefined : pointAt(collection, ordinal, vector, axes);
}

function pointAt({ catalogue }: Collection, ordinal: number, vector: Float32Array, axes: Plane['axes']): MapPoint {
  const [x, y] = project(vector, axes);
  return { id: catalogue.id(ordinal), title: catalogue.title(ordinal), x: x!, y: y! };
}

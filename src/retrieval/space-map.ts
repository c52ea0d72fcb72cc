/**
 * A space on a plane, to be looked at: a sample of its items along the two directions in which they differ most (principal components), and
 * one item with its neighbours among them. Far apart on the plane is far apart in the space; near on the plane may be far in what it leaves out.
 */
import { NighError } from '../core/errors.js';
import { type Pca, pca, project } from '../embeddings/index.js';
import type { Collection } from './collection.js';
import type { Space } from './space.js';
import type { MapPoint, SpaceMap } from './types.js';

const sampleSize = 500;

interface Plane {
  readonly axes: Pick<Pca, 'mean' | 'directions'>;
  readonly explained: number;
  readonly points: readonly MapPoint[];
}

/** One a space, made when it is first looked at. */
const planes = new WeakMap<Space, Promise<Plane>>();

/**
 * @param item the item to show with these neighbours, by ordinal
 * @throws NighError NO_VECTOR where the item has none in the space, EMPTY_DATASET where the space has fewer than three items
 */
export async function mapSpace(
  collection: Collection,
  space: Space,
  item: number | undefined,
  neighbours: readonly number[],
): Promise<SpaceMap> {
  let plane = planes.get(space);
  if (plane === undefined) {
    plane = makePlane(collection, space);
    planes.set(space, plane);
    plane.catch(() => planes.delete(space));
  }
  const { axes, explained, points } = await plane;
  const place = (ordinal: number) => placed(collection, space, axes, ordinal);
  const own = item === undefined ? undefined : place(item);
  if (item !== undefined && own === undefined) {
    const id = JSON.stringify(collection.catalogue.id(item));
    throw new NighError('NO_VECTOR', `The item ${id} has no vector in the space ${space.name}.`);
  }
  return {
    space: space.name,
    explained,
    points,
    ...(own === undefined ? {} : { item: own }),
    neighbours: neighbours.flatMap((neighbour) => place(neighbour) ?? []),
  };
}

async function makePlane(collection: Collection, space: Space): Promise<Plane> {
  const { catalogue } = collection;
  const stride = Math.max(1, catalogue.size / sampleSize);
  const ordinals: number[] = [];
  const rows: Float32Array[] = [];
  for (let at = 0; at < catalogue.size; at += stride) {
    const ordinal = Math.floor(at);
    const vector = space.itemVector(ordinal);
    if (vector === undefined) continue;
    ordinals.push(ordinal);
    rows.push(vector);
  }
  const dim = space.similar.dim;
  if (rows.length < 3 || dim < 2) {
    throw new NighError('EMPTY_DATASET', `The space ${space.name} is too small for a map.`);
  }
  const data = new Float32Array(rows.length * dim);
  rows.forEach((row, r) => {
    data.set(row, r * dim);
  });
  const axes = await pca({ data, rows: rows.length, dim }, { components: 2 });
  const total = axes.variances.reduce((sum, variance) => sum + variance, 0);
  const explained = total > 0 ? (axes.variances[0]! + axes.variances[1]!) / total : 0;
  return { axes, explained, points: ordinals.flatMap((ordinal) => placed(collection, space, axes, ordinal) ?? []) };
}

function placed({ catalogue }: Collection, space: Space, axes: Plane['axes'], ordinal: number): MapPoint | undefined {
  const vector = space.itemVector(ordinal);
  if (vector === undefined) return undefined;
  const [x, y] = project(vector, axes);
  return { id: catalogue.id(ordinal), title: catalogue.title(ordinal), x: x!, y: y! };
}

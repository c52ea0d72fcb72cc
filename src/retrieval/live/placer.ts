/**
 * Where an item belongs in the spaces of a generation.
 *
 * 1. By the vectors that were given for it.
 * 2. In a space that was fitted to what people did, an item that has a vector keeps it: what they did says more than what it says of itself.
 * 3. By the space's own embedder, from its title, attributes and picture, if any of these is new.
 * 4. Where it was before.
 *
 * A space of which none of this says anything has no vector for the item, as at a build.
 */
import { invalidArgument, NighError } from '../../core/errors.js';
import { findNotFinite, isFloat32Array } from '../../core/matrix.js';
import type { Content } from '../../embeddings/embedding.js';
import type { Generation } from '../collection.js';
import { requireColumn } from '../filters/compile.js';
import type { StoredPlacement, UpsertChange } from '../journal/entry.js';
import type { Space } from '../space.js';
import type { Attributes, ChangedItems } from './changed-items.js';
import type { ChangedSpace, Placement } from './changed-space.js';
import type { ItemFields } from './item-fields.js';

export class Placer {
  /** The generation that fitted the embedders. */
  readonly fit: string;
  readonly #generation: Generation;
  readonly #items: ChangedItems;
  readonly #spaces: ReadonlyMap<string, ChangedSpace>;

  constructor(generation: Generation, items: ChangedItems, spaces: ReadonlyMap<string, ChangedSpace>) {
    const { fit, generation: name } = generation.manifest;
    this.fit = fit ?? name;
    this.#generation = generation;
    this.#items = items;
    this.#spaces = spaces;
  }

  /**
   * A change of an item, complete: what was not said of it is as it was.
   * @throws NighError UNKNOWN_SPACE, UNKNOWN_OPTION, INVALID_ARGUMENT, DIMENSION_MISMATCH, NOT_FINITE, ZERO_VECTOR, and what embedders throw
   */
  async settle(id: string, fields: ItemFields): Promise<UpsertChange> {
    const { catalogue, spaces } = this.#generation;
    const old = this.#items.find(id);
    const before = old === undefined ? undefined : this.#before(old);
    const title = fields.title ?? before?.title ?? id;
    const attributes =
      fields.attributes === undefined
        ? (before?.attributes ?? {})
        : checkedAttributes(catalogue.columns, fields.attributes);
    const given = this.#givenPlaces(fields.vectors ?? {});
    const isNew = fields.title !== undefined || fields.attributes !== undefined || fields.image !== undefined;
    const content = { title, attributes, ...(fields.image === undefined ? {} : { image: fields.image }) } as Content;
    const places: Record<string, StoredPlacement | 'kept'> = {};
    for (const space of spaces) {
      const where = old === undefined ? undefined : this.#spaces.get(space.name)?.placement(old);
      const own = given.get(space.name);
      const made =
        own ?? (where === undefined || (isNew && !space.hasUsers) ? await this.#embed(space, content) : undefined);
      if (made !== undefined) places[space.name] = made;
      else if (where !== undefined && old !== undefined) places[space.name] = old < this.#items.begin ? 'kept' : where;
    }
    return { type: 'upsert', id, title, attributes, fit: this.fit, spaces: places };
  }

  /** The places of a change that was settled over other embedders. */
  async placeAnew(
    { title, attributes, spaces }: UpsertChange,
    where: (space: string) => Placement | undefined,
  ): Promise<ReadonlyMap<string, Placement>> {
    const places = new Map<string, Placement>();
    for (const space of this.#generation.spaces) {
      const stored = spaces[space.name];
      const before = where(space.name);
      const isGiven = stored !== undefined && stored !== 'kept' && stored.given === true && fits(space, stored);
      const made = isGiven
        ? stored
        : before === undefined || !space.hasUsers
          ? await this.#embed(space, { title, attributes } as Content)
          : undefined;
      const placement = made ?? before;
      if (placement !== undefined) places.set(space.name, placement);
    }
    return places;
  }

  #before(item: number): { readonly title: string; readonly attributes: Attributes } {
    const { begin, base } = this.#items;
    return item < begin ? { title: base.title(item), attributes: base.attributes(item) } : this.#items.later(item);
  }

  async #embed(space: Space, content: Content): Promise<Placement | undefined> {
    const embedder = await this.#generation.embedders.of(space.name);
    const similar = await embedder?.embed(content);
    if (embedder === undefined || similar === undefined || !isPlace(space.similar, similar)) return undefined;
    const { recommend: index } = space.indexes;
    if (index === undefined) return { similar };
    const recommend = (await embedder.embedForUsers?.(content)) ?? similar;
    return recommend.length === index.dim && findNotFinite(recommend) < 0 ? { similar, recommend } : undefined;
  }

  #givenPlaces(vectors: NonNullable<ItemFields['vectors']>): ReadonlyMap<string, StoredPlacement> {
    return new Map(
      Object.entries(vectors).map(([name, values]) => {
        const space = this.#generation.requireSpace(name);
        const path = `vectors.${name}`;
        const { similar, recommend } = space.indexes;
        const vector = readVector(values, path);
        const { dim } = recommend ?? similar;
        if (vector.length !== dim) {
          throw new NighError('DIMENSION_MISMATCH', `${path}: expected ${dim} values, got ${vector.length}.`);
        }
        const isZero = vector.every((value) => value === 0);
        if (isZero && (recommend !== undefined || similar.metric === 'cosine')) {
          throw new NighError('ZERO_VECTOR', `${path}: expected a vector with a direction, got zeros.`);
        }
        if (recommend === undefined) return [name, { similar: vector, given: true }];
        // Users find it by its vector, other items by its direction.
        const own = vector.subarray(0, similar.dim);
        const length = Math.hypot(...own);
        const direction = own.map((value) => (length === 0 ? 0 : value / length));
        return [name, { similar: direction, recommend: vector, given: true }];
      }),
    );
  }
}

function isPlace({ dim, metric }: Space['similar'], vector: Float32Array): boolean {
  return (
    vector.length === dim && findNotFinite(vector) < 0 && (metric !== 'cosine' || vector.some((value) => value !== 0))
  );
}

function fits({ indexes }: Space, { similar, recommend }: StoredPlacement): boolean {
  return similar.length === indexes.similar.dim && recommend?.length === indexes.recommend?.dim;
}

function readVector(value: unknown, path: string): Float32Array {
  const isNumbers = Array.isArray(value) && value.every((each) => typeof each === 'number');
  if (!isNumbers && !isFloat32Array(value)) throw invalidArgument(path, 'a Float32Array or an array of numbers', value);
  const vector = Float32Array.from(value as ArrayLike<number>);
  const at = findNotFinite(vector);
  if (at >= 0) throw new NighError('NOT_FINITE', `${path}[${at}]: expected a finite number, got ${vector[at]}.`);
  return vector;
}

/** @throws NighError UNKNOWN_OPTION for an attribute that the items have not, INVALID_ARGUMENT for one of another type */
function checkedAttributes(
  columns: Generation['catalogue']['columns'],
  given: Readonly<Record<string, unknown>>,
): Attributes {
  const checked: Record<string, Attributes[string]> = {};
  for (const [name, value] of Object.entries(given)) {
    const path = `attributes.${name}`;
    const { type } = requireColumn(columns, name, path);
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
    if (type === 'number' && !(typeof value === 'number' && Number.isFinite(value))) {
      throw invalidArgument(path, 'a finite number', value);
    }
    if (type === 'text' && typeof value !== 'string') throw invalidArgument(path, 'a text', value);
    if (type === 'tags' && !(Array.isArray(value) && value.every((tag) => typeof tag === 'string'))) {
      throw invalidArgument(path, 'an array of texts', value);
    }
    checked[name] = value as Attributes[string];
  }
  return checked;
}

/**
 * Which searches answer a question.
 *
 * Without weights each part of it asks one space: the one that was named, or else the first of the recipe that has a vector for it. With
 * weights of spaces it asks all of these. Where no space can be asked at all, and the question may fall back, it asks the other spaces,
 * then what fallback.ts lists: by the attributes that items share, by ratings, by how many people have an item.
 */
import { NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { VectorIndex } from '../../index/vector-index.js';
import type { Collection } from '../collection.js';
import type { AnyQuery } from '../query-options.js';
import type { Space } from '../space.js';
import type { Fallback } from '../types.js';
import { isSomebody, type Listing, listingFor } from './fallback.js';
import type { Part, PartKind } from './part.js';

/** A search of one space for one part of a question. */
export interface SearchSource {
  readonly kind: 'search';
  /** The space's name. */
  readonly name: string;
  readonly part: PartKind;
  /** Its share of the score; the shares of a question sum to 1. */
  readonly weight: number;
  readonly space: Space;
  readonly index: VectorIndex;
  readonly vector: Float32Array;
}

/** A score of every item, for a question that no space can answer. */
export interface ListedSource extends Listing {
  readonly kind: 'listed';
  readonly weight: 1;
}

export type Source = SearchSource | ListedSource;

export interface Plan {
  readonly sources: readonly Source[];
  /** Set where another source had to answer than the one that was asked first. */
  readonly fallback: Fallback | undefined;
}

/** @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT, NO_VECTOR */
export async function planSources(collection: Collection, parts: readonly Part[], query: AnyQuery): Promise<Plan> {
  const blend = blendOf(collection, query);
  const asked = blend === undefined ? collection.spacesFor(query) : [...blend.keys()];
  const passedOver = new Set<string>();
  const byPart: SearchSource[][] = [];
  for (const part of parts) {
    const found: SearchSource[] = [];
    for (const space of asked) {
      const source = await sourceOf(
        part,
        space,
        blend?.get(space) ?? 1,
        blend === undefined ? query.weights : undefined,
      );
      if (source !== undefined) found.push(source);
      else if (part.items.items.length > 0) passedOver.add(space.name);
      if (found.length > 0 && blend === undefined) break;
    }
    if (found.length > 0) byPart.push(found);
  }
  if (byPart.length > 0) {
    const sources = byPart.flatMap((found) => withShares(found, 1 / byPart.length));
    const fallback = passedOver.size === 0 ? undefined : { to: 'space' as const, passedOver: [...passedOver] };
    return { sources, fallback };
  }
  const mayFallBack =
    query.fallback ??
    (query.space === undefined && parts.some((part) => part.items.items.length > 0 || isSomebody(part)));
  if (!mayFallBack) throw noVector(parts, query);
  return fallBack(collection, parts, new Set(asked), [...passedOver]);
}

async function sourceOf(
  part: Part,
  space: Space,
  weight: number,
  blockWeights: AnyQuery['weights'],
): Promise<SearchSource | undefined> {
  const probe = await part.probe(space);
  const vector = space.weigh(probe?.vector, blockWeights);
  if (probe === undefined || vector === undefined) return undefined;
  return { kind: 'search', name: space.name, part: part.kind, weight, space, index: probe.index, vector };
}

async function fallBack(
  collection: Collection,
  parts: readonly Part[],
  asked: ReadonlySet<Space>,
  passedOver: readonly string[],
): Promise<Plan> {
  for (const space of collection.spaces.filter((other) => !asked.has(other))) {
    const found = await Promise.all(parts.map((part) => sourceOf(part, space, 1, undefined)));
    const sources = withShares(
      found.filter((source) => source !== undefined),
      1,
    );
    if (sources.length > 0) return { sources, fallback: { to: 'space', passedOver } };
  }
  const listing = listingFor(collection, parts);
  return { sources: [{ kind: 'listed', weight: 1, ...listing }], fallback: { to: listing.name, passedOver } };
}

/** Weights as shares of a part's: what a space that has no vector for it would have said, the others say. All 0: as if all were equal. */
function withShares(sources: readonly SearchSource[], whole: number): SearchSource[] {
  const total = sources.reduce((sum, { weight }) => sum + weight, 0);
  return sources.map((source) => ({
    ...source,
    weight: (whole * (total > 0 ? source.weight : 1)) / (total > 0 ? total : sources.length),
  }));
}

/**
 * The weight of every space, where the weights are of spaces: no space was named, and every weight is called like one. Spaces that weigh
 * nothing are left out, unless they have a quota.
 * @throws NighError UNKNOWN_SPACE, INVALID_ARGUMENT
 */
function blendOf(collection: Collection, { space, weights, quotas }: AnyQuery): ReadonlyMap<Space, number> | undefined {
  const names = Object.keys(weights ?? {});
  const areSpaces = names.filter((name) => collection.spaces.some((candidate) => candidate.name === name));
  if (space !== undefined || weights === undefined || areSpaces.length === 0) {
    requireNoQuotas(quotas);
    if (space === undefined && weights !== undefined) requireKnown(collection, names);
    return undefined;
  }
  if (areSpaces.length < names.length) {
    const areBlocks = collection.spaces.some(({ blocks }) =>
      names.every((name) => blocks.some((block) => block.name === name)),
    );
    if (areBlocks) {
      requireNoQuotas(quotas);
      return undefined;
    }
    for (const name of names) collection.requireSpace(name);
  }
  for (const name of Object.keys(quotas)) {
    if (names.includes(name)) continue;
    throw new NighError(
      'INVALID_ARGUMENT',
      `quotas.${name}: expected a space that weights names, which are ${names.join(', ')}.${didYouMean(name, names)}`,
    );
  }
  return new Map(
    names
      .filter((name) => weights[name]! > 0 || (quotas[name] ?? 0) > 0)
      .map((name) => [collection.requireSpace(name), weights[name]!]),
  );
}

function requireNoQuotas(quotas: Readonly<Record<string, number>>): void {
  if (Object.keys(quotas).length === 0) return;
  throw new NighError('INVALID_ARGUMENT', 'quotas: expected weights of spaces beside it, and no space.');
}

/** A single name that is nearly a space's is a misspelt space, not a block that is missing. */
function requireKnown(collection: Collection, names: readonly string[]): void {
  const spaces = collection.spaces.map(({ name }) => name);
  const blocks = collection.spaces.flatMap((space) => space.blocks.map(({ name }) => name));
  for (const name of names) {
    if (!blocks.includes(name) && didYouMean(name, blocks) === '' && didYouMean(name, spaces) !== '') {
      collection.requireSpace(name);
    }
  }
}

function noVector(parts: readonly Part[], { space }: AnyQuery): NighError {
  const where = space === undefined ? 'any space' : `the space ${space}`;
  return new NighError('NO_VECTOR', `${parts.map(({ lack }) => `${lack} in ${where}.`).join(' ')}`);
}

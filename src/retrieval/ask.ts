/** A question as it was asked → its answer: parts, sources, filter, then the stages. */
import { invalidArgument, NighError } from '../core/errors.js';
import { isFloat32Array, isUint8Array } from '../core/matrix.js';
import type { Collection } from './collection.js';
import { RequestFilter } from './filters/request-filter.js';
import { answerRequest } from './pipeline/answer.js';
import { StageClock } from './pipeline/stage-clock.js';
import type { Stages } from './pipeline/stages.js';
import type { AnyQuery } from './query-options.js';
import { readHistory } from './query-options.js';
import { nothing, type Part } from './questions/part.js';
import {
  contentPart,
  historyPart,
  itemPart,
  requireVectorLength,
  strangerPart,
  userPart,
  vectorPart,
} from './questions/parts.js';
import { planSources } from './questions/sources.js';
import type { Taste } from './taste.js';
import type { Answer, Question } from './types.js';

/** What a question is about, as it was given. */
export type Asked = Pick<Question, (typeof askedKeys)[number]>;

export const askedKeys = ['item', 'user', 'history', 'vector', 'text', 'image'] as const;

/** @throws NighError what the methods of Retriever throw */
export async function ask(collection: Collection, stages: Stages, asked: Asked, query: AnyQuery): Promise<Answer> {
  const clock = new StageClock();
  const { parts, plan } = await clock.time('question', async () => {
    const made = partsOf(collection, asked, query);
    return { parts: made, plan: await planSources(collection, made, query) };
  });
  const filter = await clock.time('filtering', () => filterOf(collection, parts, query));
  const request = { collection, query, sources: plan.sources, filter };
  return answerRequest(request, stages, clock, parts, plan.fallback);
}

function partsOf(collection: Collection, asked: Asked, query: AnyQuery): Part[] {
  const { item, user, history, vector, text, image } = asked;
  const taste: Taste = { ...collection.manifest.taste, ...query.taste };
  const parts: Part[] = [];
  if (item !== undefined) {
    requireText('item', item);
    parts.push(itemPart(collection, collection.catalogue.require(item)));
  }
  if (user !== undefined) {
    requireText('user', user);
    const isStranger = query.fallback === true && collection.users.find(user) === undefined;
    parts.push(isStranger ? strangerPart(user) : userPart(collection, collection.requireUser(user), taste));
  }
  if (history !== undefined) {
    const picks = readHistory(history).map((pick) => ({ ...pick, item: collection.catalogue.require(pick.item) }));
    parts.push(historyPart(picks, taste));
  }
  if (vector !== undefined) parts.push(ownVector(collection, vector, query));
  if (text !== undefined) {
    requireText('text', text);
    parts.push(contentPart(collection, 'text', { text }, query.signal));
  }
  if (image !== undefined) {
    if (!isUint8Array(image)) throw invalidArgument('image', 'the bytes of a picture', image);
    parts.push(contentPart(collection, 'image', { image }, query.signal));
  }
  if (parts.length > 0) return parts;
  throw new NighError(
    'INVALID_ARGUMENT',
    `question: expected at least one of ${askedKeys.join(', ')}, got none of them.`,
  );
}

function ownVector(collection: Collection, given: NonNullable<Question['vector']>, { space }: AnyQuery): Part {
  if (space === undefined)
    throw new NighError('INVALID_ARGUMENT', 'vector: expected the space that it is of beside it, got none.');
  const isNumbers = Array.isArray(given) && given.every((value) => typeof value === 'number');
  if (!isFloat32Array(given) && !isNumbers)
    throw invalidArgument('vector', 'a Float32Array or an array of numbers', given);
  const vector = Float32Array.from(given);
  requireVectorLength(vector, collection.requireSpace(space));
  return vectorPart(vector, space);
}

/** Ids that the collection does not have cannot come back anyway. */
function filterOf(collection: Collection, parts: readonly Part[], query: AnyQuery): RequestFilter {
  const { catalogue, filters, stoplists } = collection;
  const ordinals = (ids: readonly string[]) => Uint32Array.from(ids.flatMap((id) => catalogue.find(id) ?? []));
  return new RequestFilter({
    isLive: (item) => catalogue.isLive(item),
    hidden: stoplists.hidden,
    where: query.where === undefined ? undefined : filters.setOf(query.where),
    allow: query.allow === undefined ? undefined : ordinals(query.allow),
    deny: query.deny === undefined ? nothing : ordinals(query.deny),
    seen: query.excludeSeen ? joined(parts.map(({ seen }) => seen)) : nothing,
    asked: joined(parts.map(({ asked }) => asked)),
  });
}

function joined(lists: readonly Uint32Array[]): Uint32Array {
  const filled = lists.filter(({ length }) => length > 0);
  return filled.length === 1 ? filled[0]! : Uint32Array.from(filled.flatMap((list) => [...list]));
}

export function requireText(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalidArgument(name, 'a string', value);
}

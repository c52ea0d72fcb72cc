/** What a change may say, checked. */
import { invalidArgument, NighError } from '../../core/errors.js';
import { isUint8Array } from '../../core/matrix.js';
import { checked, isPlainObject, number, optional, readParams } from '../../core/params.js';
import type { InteractionEvent } from '../journal/entry.js';
import type { AttributeValue } from '../types.js';

/** What is said of an item. What is left out stays as it was; of a new item it is not there, and its title is its id. */
export interface ItemFields {
  readonly title?: string;
  /** All of its attributes, by name, of the types that the collection has for them; those that are not among them it lacks from now on. */
  readonly attributes?: Readonly<Record<string, AttributeValue | undefined>>;
  /**
   * Vectors by space, instead of what its embedder would make: as long as the space's, and in a space with users the one whose inner product
   * with theirs is the score. A space that has no embedder takes new items in no other way.
   */
  readonly vectors?: Readonly<Record<string, Float32Array | readonly number[]>>;
  /** Its picture (PNG, JPEG, WebP, SVG), for spaces of pictures. It is not stored. */
  readonly image?: Uint8Array;
}

/** What somebody did with an item. */
export interface InteractionInput {
  readonly user: string;
  readonly item: string;
  /** A rating, a count, or 1, which is the default. */
  readonly value?: number;
  /** Unix seconds. */
  readonly timestamp?: number;
}

export interface ChangeOptions {
  /** A change that is sent again under the same request id is not made again: it is answered as it was. 1 to 200 characters. */
  readonly requestId?: string;
}

const longestId = 1000;
const longestTitle = 10_000;
const longestRequestId = 200;
/** How many interactions one change may hold. */
const mostEvents = 10_000;

const objectField = checked('an object', isPlainObject);
const fieldsSchema = {
  title: optional(
    checked(`a text of at most ${longestTitle} characters`, (value): value is string => isText(value, 0, longestTitle)),
  ),
  attributes: optional(objectField),
  vectors: optional(objectField),
  image: optional(checked('the bytes of a picture', isUint8Array)),
};

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readFields(value: ItemFields): ItemFields {
  return readParams(fieldsSchema, value, '') as ItemFields;
}

const requestIdField = checked(`a text of 1 to ${longestRequestId} characters`, (value): value is string =>
  isText(value, 1, longestRequestId),
);
const optionsSchema = { requestId: optional(requestIdField) };

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION */
export function readRequestId(value: ChangeOptions): string | undefined {
  return readParams(optionsSchema, value, '').requestId;
}

/** @throws NighError INVALID_ARGUMENT */
export function requireId(name: string, value: unknown): asserts value is string {
  if (!isText(value, 1, longestId)) throw invalidArgument(name, `a text of 1 to ${longestId} characters`, value);
}

const idField = checked(`a text of 1 to ${longestId} characters`, (value): value is string =>
  isText(value, 1, longestId),
);
const eventSchema = {
  user: idField,
  item: idField,
  value: number({ default: 1 }),
  timestamp: optional(number()),
};

/** @throws NighError INVALID_ARGUMENT, UNKNOWN_OPTION, NOT_FINITE */
export function readEvents(value: readonly InteractionInput[]): readonly InteractionEvent[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > mostEvents) {
    throw invalidArgument('interactions', `an array of 1 to ${mostEvents} interactions { user, item }`, value);
  }
  return value.map((each: unknown, i) => {
    const { user, item, value: rating, timestamp } = readParams(eventSchema, each, `interactions[${i}]`);
    if (!Number.isFinite(Math.fround(rating))) {
      throw new NighError('NOT_FINITE', `interactions[${i}].value: expected a number that is finite in float32.`);
    }
    return { user, item, value: Math.fround(rating), ...(timestamp === undefined ? {} : { timestamp }) };
  });
}

/** Half a surrogate pair would come back as another character. */
function isText(value: unknown, shortest: number, longest: number): value is string {
  return (
    typeof value === 'string' &&
    value.length >= shortest &&
    value.length <= longest &&
    !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(value)
  );
}

/**
 * Predicate → the set of items that meet it: each comparison is one pass over its column, and "and", "or", "not" join the bytes.
 * Two values, no third: what an item lacks is not equal, not above and not below anything, and `not` turns exactly that around.
 */
import { invalidArgument, NighError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest-name.js';
import type { OpenColumn } from '../packed-columns.js';
import { ItemSet } from './item-set.js';
import type { Operator, Predicate, Test, WhereValue } from './predicate.js';

/** What a predicate is about. */
export interface Attributes {
  readonly columns: ReadonlyMap<string, OpenColumn>;
  /** How many items there are. */
  readonly items: number;
}

/**
 * @throws NighError UNKNOWN_OPTION for an attribute that is not there, with the nearest; INVALID_ARGUMENT for a comparison that its type has not
 */
export function compile(predicate: Predicate, attributes: Attributes): ItemSet {
  return new ItemSet(maskOf(predicate, attributes));
}

function maskOf(predicate: Predicate, attributes: Attributes): Uint8Array {
  if (predicate.kind === 'test') return testMask(predicate, attributes);
  if (predicate.kind === 'not') {
    const mask = maskOf(predicate.of, attributes);
    for (let i = 0; i < mask.length; i++) mask[i] = mask[i]! ^ 1;
    return mask;
  }
  const all = predicate.kind === 'and';
  const mask = new Uint8Array(attributes.items).fill(all ? 1 : 0);
  for (const each of predicate.of) {
    const other = maskOf(each, attributes);
    if (all) for (let i = 0; i < mask.length; i++) mask[i] = mask[i]! & other[i]!;
    else for (let i = 0; i < mask.length; i++) mask[i] = mask[i]! | other[i]!;
  }
  return mask;
}

function testMask(test: Test, { columns, items }: Attributes): Uint8Array {
  const column = requireColumn(columns, test.attribute, test.place);
  const operator = operatorFor(test, column);
  const { place, operand } = test;
  if (operator === 'exists') return fill(items, (item) => (column.read(item) !== undefined) === operand);
  switch (column.type) {
    case 'number':
      return numberMask(column.values, operator, numbersOf(operand, place));
    case 'text':
      return textMask(column, operator, stringsOf(operand, place));
    case 'tags':
      return tagsMask(column, operator, stringsOf(operand, place));
  }
}

/** @throws NighError UNKNOWN_OPTION with the nearest name */
export function requireColumn<Column>(columns: ReadonlyMap<string, Column>, name: string, place: string): Column {
  const column = columns.get(name);
  if (column !== undefined) return column;
  const names = [...columns.keys()];
  const known = names.length === 0 ? ' The items have none.' : ` They are: ${names.join(', ')}.`;
  throw new NighError(
    'UNKNOWN_OPTION',
    `${place}: the items have no attribute ${JSON.stringify(name)}.${didYouMean(name, names) || known}`,
  );
}

const allowed: Readonly<Record<OpenColumn['type'], readonly Operator[]>> = {
  number: ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'exists'],
  text: ['eq', 'ne', 'in', 'startsWith', 'exists'],
  tags: ['has', 'hasAny', 'hasAll', 'exists'],
};

function operatorFor({ operator, attribute, place }: Test, { type }: OpenColumn): Operator {
  if (operator === 'is') return type === 'tags' ? 'has' : 'eq';
  if (operator === 'isOneOf') return type === 'tags' ? 'hasAny' : 'in';
  if (allowed[type].includes(operator)) return operator;
  const kind = type === 'number' ? 'a number' : type === 'text' ? 'a text' : 'a list of tags';
  throw new NighError(
    'INVALID_ARGUMENT',
    `${place}: ${attribute} is ${kind}; expected one of ${allowed[type].join(', ')}, got ${operator}.`,
  );
}

function numberMask(values: Float64Array, operator: Operator, operands: readonly number[]): Uint8Array {
  const items = values.length;
  const operand = operands[0]!;
  // NaN is no number of an item: it compares with nothing, and is unlike everything.
  switch (operator) {
    case 'lt':
      return fill(items, (item) => values[item]! < operand);
    case 'lte':
      return fill(items, (item) => values[item]! <= operand);
    case 'gt':
      return fill(items, (item) => values[item]! > operand);
    case 'gte':
      return fill(items, (item) => values[item]! >= operand);
    case 'ne':
      return fill(items, (item) => values[item] !== operand);
    default: {
      const wanted = new Set(operands);
      return fill(items, (item) => wanted.has(values[item]!));
    }
  }
}

function textMask(
  { values, present }: Extract<OpenColumn, { type: 'text' }>,
  operator: Operator,
  operands: readonly string[],
): Uint8Array {
  if (operator === 'in' && operands.length > 8) {
    const wanted = new Set(operands);
    return fill(present.length, (item) => present[item] === 1 && wanted.has(values.at(item)));
  }
  const wanted = operands.map((text) => Buffer.from(text, 'utf8'));
  const isPrefix = operator === 'startsWith';
  const differs = operator === 'ne';
  return fill(present.length, (item) => {
    const equals = present[item] === 1 && wanted.some((text) => values.compare(item, text, isPrefix) === 0);
    return equals !== differs;
  });
}

function tagsMask(
  { terms, offsets, ordinals }: Extract<OpenColumn, { type: 'tags' }>,
  operator: Operator,
  operands: readonly string[],
): Uint8Array {
  const wanted = new Set(operands);
  const isWanted = Uint8Array.from({ length: terms.size }, (_, term) => (wanted.has(terms.at(term)) ? 1 : 0));
  // A tag may stand twice in an item's list: for "all of them" each counts once.
  return fill(offsets.length - 1, (item) => {
    const tags = ordinals.subarray(offsets[item], offsets[item + 1]);
    if (operator !== 'hasAll') return tags.some((term) => isWanted[term] === 1);
    return tags.length > 0 && new Set(tags.filter((term) => isWanted[term] === 1)).size === wanted.size;
  });
}

function fill(items: number, meets: (item: number) => boolean): Uint8Array {
  const mask = new Uint8Array(items);
  for (let item = 0; item < items; item++) mask[item] = meets(item) ? 1 : 0;
  return mask;
}

function numbersOf(operand: Test['operand'], place: string): readonly number[] {
  return listOf(operand).map((value) => {
    if (typeof value !== 'number') throw invalidArgument(place, 'a number', value);
    return value;
  });
}

function stringsOf(operand: Test['operand'], place: string): readonly string[] {
  return listOf(operand).map((value) => {
    if (typeof value !== 'string') throw invalidArgument(place, 'a text', value);
    return value;
  });
}

function listOf(operand: Test['operand']): readonly (WhereValue | boolean)[] {
  return Array.isArray(operand) ? operand : [operand as WhereValue];
}

/** Item attributes as they are stored: one block a column, opened without one object an item. */
import { NighError } from '../core/errors.js';
import type { Column } from '../data/dataset.js';
import { type PackedStrings, StringList } from './string-list.js';
import type { AttributeValue } from './types.js';

export type PackedColumn =
  | { readonly type: 'text'; readonly values: PackedStrings; readonly present: Uint8Array }
  /** NaN where an item lacks it. */
  | { readonly type: 'number'; readonly values: Float64Array }
  /** Item i has the tags terms[ordinals[offsets[i] … offsets[i + 1]]], in the order of the source. */
  | {
      readonly type: 'tags';
      readonly terms: PackedStrings;
      readonly offsets: Uint32Array;
      readonly ordinals: Uint32Array;
    };

/** One attribute by item ordinal; undefined where an item lacks it (an empty list of tags counts as lacking). */
export type AttributeReader = (item: number) => AttributeValue | undefined;

/** A stored column that was found sound, and its reader. */
export type OpenColumn =
  | { readonly type: 'text'; readonly read: AttributeReader; readonly values: StringList; readonly present: Uint8Array }
  | { readonly type: 'number'; readonly read: AttributeReader; readonly values: Float64Array }
  | {
      readonly type: 'tags';
      readonly read: AttributeReader;
      readonly terms: StringList;
      readonly offsets: Uint32Array;
      readonly ordinals: Uint32Array;
    };

export function packColumn(column: Column): PackedColumn {
  if (column.type === 'number')
    return { type: 'number', values: Float64Array.from(column.values, (value) => value ?? Number.NaN) };
  if (column.type === 'text') {
    return {
      type: 'text',
      values: StringList.pack(Array.from(column.values, (value) => value ?? '')),
      present: Uint8Array.from(column.values, (value) => (value === undefined ? 0 : 1)),
    };
  }
  const terms = new Map<string, number>();
  const offsets = new Uint32Array(column.values.length + 1);
  const ordinals: number[] = [];
  for (let item = 0; item < column.values.length; item++) {
    for (const tag of column.values[item] ?? []) {
      const known = terms.get(tag) ?? terms.size;
      if (known === terms.size) terms.set(tag, known);
      ordinals.push(known);
    }
    offsets[item + 1] = ordinals.length;
  }
  return { type: 'tags', terms: StringList.pack([...terms.keys()]), offsets, ordinals: Uint32Array.from(ordinals) };
}

/** @throws NighError FORMAT if the parts contradict each other */
export function openColumn(name: string, column: PackedColumn, items: number): OpenColumn {
  const refuse = () => new NighError('FORMAT', `The stored attribute ${name} contradicts itself.`);
  switch (column.type) {
    case 'number': {
      const { values } = column;
      if (!(values instanceof Float64Array) || values.length !== items) throw refuse();
      return { type: 'number', values, read: (item) => (Number.isNaN(values[item]) ? undefined : values[item]) };
    }
    case 'text': {
      const { present } = column;
      const values = new StringList(column.values);
      if (!(present instanceof Uint8Array) || present.length !== items || values.size !== items) throw refuse();
      return { type: 'text', values, present, read: (item) => (present[item] === 1 ? values.at(item) : undefined) };
    }
    case 'tags': {
      const { offsets, ordinals } = column;
      const terms = new StringList(column.terms);
      const fits =
        offsets instanceof Uint32Array &&
        ordinals instanceof Uint32Array &&
        offsets.length === items + 1 &&
        offsets.at(-1) === ordinals.length &&
        offsets.every((at, i) => i === 0 || at >= offsets[i - 1]!) &&
        ordinals.every((ordinal) => ordinal < terms.size);
      if (!fits) throw refuse();
      const read: AttributeReader = (item) => {
        const tags = ordinals.subarray(offsets[item], offsets[item + 1]);
        return tags.length === 0 ? undefined : Array.from(tags, (ordinal) => terms.at(ordinal));
      };
      return { type: 'tags', terms, offsets, ordinals, read };
    }
    default:
      throw refuse();
  }
}

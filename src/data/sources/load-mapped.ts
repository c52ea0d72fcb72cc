import { basename, dirname, resolve } from 'node:path';
import { NighError } from '../../core/errors.js';
import { type Column, type Dataset, notStated } from '../dataset.js';
import { DatasetBuilder, type ItemAttributes } from '../dataset-builder.js';
import type { LoadContext } from '../load-context.js';
import { type Cell, type CellPlace, dateOf, idOf, numberOf, tagsOf, textOf } from './cell-values.js';
import type { AttributeMapping, InteractionsMapping, ItemsMapping, MappedOptions } from './column-mapping.js';
import { findFiles, standardInput } from './find-files.js';
import { PictureFiles } from './picture-files.js';
import { atRecord, invalidRecord } from './record-values.js';

/** A column that a mapping asks for. */
export interface WantedColumn {
  readonly name: string;
  /** Whether every record must have it; a column that is not required must only be known to the file. */
  readonly required: boolean;
}

/**
 * Calls `visit` with the wanted cells of every record, in the order of `columns`, and the record's line.
 * @throws NighError MISSING_COLUMN, INVALID_RECORD, and what reading throws
 */
export type RecordReader = (
  file: { readonly path: string; readonly header: readonly string[] | undefined },
  columns: readonly WantedColumn[],
  context: LoadContext,
  visit: (cells: readonly Cell[], line: number) => void,
) => Promise<void>;

/** Loads a dataset whose files are tables of some kind, by the recipe's mapping of their columns. */
export async function loadMapped(options: MappedOptions, context: LoadContext, read: RecordReader): Promise<Dataset> {
  const { items, interactions, origin } = options;
  if (items?.path === standardInput && interactions?.path === standardInput) {
    throw new NighError('INVALID_ARGUMENT', 'The standard input can be items or interactions, not both.');
  }
  const paths = [items, interactions].flatMap((mapping) => (mapping === undefined ? [] : [mapping.path]));
  const builder = new DatasetBuilder(
    {
      name: origin.name ?? basename(paths[0] ?? ''),
      licence: origin.licence ?? notStated,
      source: origin.source ?? paths.join(', '),
    },
    {
      timestamps: interactions?.timestamp !== undefined,
      columns: columnTypes(items),
      ...(interactions === undefined ? {} : { merge: interactions.merge, unknownItems: interactions.unknownItems }),
    },
  );
  const pictures =
    items?.picture === undefined ? undefined : new PictureFiles(dirname(resolve(context.baseDirectory, items.path)));
  // Both at once, so that a file that is missing is known before the other is read.
  const [itemFiles, interactionFiles] = await Promise.all(
    [items, interactions].map((mapping) =>
      mapping === undefined ? [] : findFiles(context.baseDirectory, mapping.path),
    ),
  );
  for (const path of itemFiles ?? []) await readItems({ ...items!, path }, context, read, { builder, pictures });
  for (const path of interactionFiles ?? []) {
    await readInteractions({ ...interactions!, path }, context, read, builder);
  }
  const dataset = builder.build();
  return pictures === undefined ? dataset : { ...dataset, pictures };
}

function columnTypes(items: ItemsMapping | undefined): Record<string, Column['type']> {
  const types = [...(items?.columns ?? [])].map(([name, { type }]) => [name, type === 'date' ? 'number' : type]);
  return Object.fromEntries(types) as Record<string, Column['type']>;
}

async function readItems(
  items: ItemsMapping,
  context: LoadContext,
  read: RecordReader,
  { builder, pictures }: { builder: DatasetBuilder; pictures: PictureFiles | undefined },
): Promise<void> {
  const file = { path: items.path, header: items.header };
  const attributes = [...items.columns];
  const wanted = [
    { name: items.id, required: true },
    ...(items.title === undefined ? [] : [{ name: items.title, required: false }]),
    ...(items.picture === undefined ? [] : [{ name: items.picture, required: false }]),
    ...attributes.map(([, { from }]) => ({ name: from, required: false })),
  ];
  const firstAttribute = wanted.length - attributes.length;
  const pictureAt = firstAttribute - 1;
  await read(file, wanted, context, (cells, line) => {
    const place = (at: number): CellPlace => ({ path: file.path, line, column: wanted[at]!.name });
    const id = idOf(cells[0], place(0));
    const title = items.title === undefined ? undefined : textOf(cells[1], place(1));
    const values: Record<string, ItemAttributes[string]> = {};
    for (const [k, [name, mapping]] of attributes.entries()) {
      values[name] = attributeOf(cells[firstAttribute + k], place(firstAttribute + k), mapping);
    }
    const picture = pictures && textOf(cells[pictureAt], place(pictureAt));
    atRecord(file.path, line, () => {
      builder.addItem(id, title ?? id, values);
      if (picture !== undefined) pictures?.add(id, picture);
    });
  });
}

function attributeOf(cell: Cell, place: CellPlace, { type, separator }: AttributeMapping): ItemAttributes[string] {
  switch (type) {
    case 'text':
      return textOf(cell, place);
    case 'number':
      return numberOf(cell, place);
    case 'date':
      return dateOf(cell, place);
    case 'tags':
      return tagsOf(cell, place, separator);
  }
}

async function readInteractions(
  interactions: InteractionsMapping,
  context: LoadContext,
  read: RecordReader,
  builder: DatasetBuilder,
): Promise<void> {
  const file = { path: interactions.path, header: interactions.header };
  const { user, item, value, timestamp, timestampUnit } = interactions;
  const names = [user, item, ...(value === undefined ? [] : [value]), ...(timestamp === undefined ? [] : [timestamp])];
  const wanted = names.map((name) => ({ name, required: true }));
  const timeAt = names.length - 1;
  await read(file, wanted, context, (cells, line) => {
    const place = (at: number): CellPlace => ({ path: file.path, line, column: names[at]! });
    const rating = value === undefined ? 1 : numberOf(cells[2], place(2));
    if (rating === undefined) throw invalidRecord(file.path, line, names[2]!, 'a number', cells[2]);
    let time: number | undefined;
    if (timestamp !== undefined) {
      time = timestampUnit === 'iso' ? dateOf(cells[timeAt], place(timeAt)) : numberOf(cells[timeAt], place(timeAt));
      if (time === undefined) throw invalidRecord(file.path, line, timestamp, 'a time', cells[timeAt]);
      if (timestampUnit === 'milliseconds') time /= 1000;
    }
    const userId = idOf(cells[0], place(0));
    const itemId = idOf(cells[1], place(1));
    atRecord(file.path, line, () => builder.addInteraction(userId, itemId, rating, time));
  });
}

import { resolve } from 'node:path';
import { optional, text } from '../../core/params.js';
import { DatasetBuilder } from '../dataset-builder.js';
import { readTable } from './read-table.js';
import { atRecord, cleanTags, parseNumber, requireNumber } from './record-values.js';
import { type DatasetSource, readSourceOptions } from './source.js';
import { ownFolder, withUnzipped } from './zipped-file.js';

/** `{ "source": "goodbooks" }` */
export interface GoodbooksOptions {
  /** The folder with `books.csv` and `ratings.csv`, or each with `.zip`, relative to the recipe. Default: `goodbooks-10k-v1` in NIGH_DATA. */
  readonly path: string | undefined;
}

const format = { delimiter: ',', quotes: true, encoding: 'utf-8' } as const;

/**
 * goodbooks-10k, first edition: books and their ratings, 1 to 5, without times; of a pair that is rated twice the last counts. Columns:
 * `authors` (tags), `language` (text), `year` (number).
 */
export const goodbooksSource: DatasetSource<GoodbooksOptions> = {
  name: 'goodbooks',

  parse(options, path) {
    return readSourceOptions({ path: optional(text()) }, options, path);
  },

  async load({ path }, context) {
    const folder = path === undefined ? ownFolder('goodbooks-10k-v1', context) : resolve(context.baseDirectory, path);
    const builder = new DatasetBuilder(
      {
        name: 'goodbooks-10k',
        licence: 'CC BY-SA 4.0: credit, share alike.',
        source: 'Zygmunt Zając: goodbooks-10k, first edition. https://github.com/zygmuntz/goodbooks-10k',
      },
      { columns: { authors: 'tags', language: 'text', year: 'number' }, merge: 'last' },
    );
    const bookColumns = ['id', 'title', 'authors', 'language_code', 'original_publication_year'];
    await withUnzipped(folder, 'books.csv', ['books.csv.zip'], context, (table) =>
      readTable(table, format, bookColumns, context, (cells, line) => {
        const [id, title, authors, language, year] = cells as [string, ...string[]];
        const attributes = {
          authors: cleanTags(authors!.split(',')),
          language: language || undefined,
          year: parseNumber(year!),
        };
        atRecord(table, line, () => builder.addItem(id, title || id, attributes));
      }),
    );
    // The ratings call `book_id` what the books call `id`; the books' own `book_id` is another.
    await withUnzipped(folder, 'ratings.csv', ['ratings.csv.zip'], context, (table) =>
      readTable(table, format, ['user_id', 'book_id', 'rating'], context, ([user, book, rating], line) => {
        const value = requireNumber(table, line, 'rating', rating!);
        atRecord(table, line, () => builder.addInteraction(user!, book!, value));
      }),
    );
    return builder.build();
  },
};

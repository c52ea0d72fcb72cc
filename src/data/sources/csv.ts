import { invalidArgument } from '../../core/errors.js';
import { choice, flag, joinPath, text } from '../../core/params.js';
import { completeMapping, type MappedOptions, mappedSchema } from './column-mapping.js';
import { loadMapped } from './load-mapped.js';
import { readTable } from './read-table.js';
import type { TextEncoding } from './read-text.js';
import { type DatasetSource, readSourceOptions } from './source.js';

/**
 * ```json
 * {
 *   "source": "csv",
 *   "items": {
 *     "path": "books.csv.gz", "id": "isbn", "title": "name",
 *     "columns": { "genres": { "type": "tags", "separator": ";" }, "year": { "type": "number", "from": "published" } }
 *   },
 *   "interactions": { "path": "loans.csv", "user": "reader", "item": "isbn", "timestamp": "day", "timestampUnit": "iso" }
 * }
 * ```
 */
export interface CsvOptions extends MappedOptions {
  /** What stands between two fields; any text. Default `,`. */
  readonly delimiter: string;
  /** Whether fields may stand in double quotes, with quotes inside doubled (RFC 4180). Default true. */
  readonly quotes: boolean;
  /** Default `utf-8`. */
  readonly encoding: TextEncoding;
}

/** Delimited text files with column mapping. Every record must have as many fields as the header; empty lines are skipped. */
export const csvSource: DatasetSource<CsvOptions> = {
  name: 'csv',

  parse(options, path) {
    const schema = {
      ...mappedSchema,
      delimiter: text({ default: ',' }),
      quotes: flag({ default: true }),
      encoding: choice(['utf-8', 'latin1'], { default: 'utf-8' }),
    };
    const { delimiter, quotes, encoding, ...mapping } = readSourceOptions(schema, options, path);
    if (delimiter === '' || /["\r\n]/.test(delimiter)) {
      throw invalidArgument(joinPath(path, 'delimiter'), 'a text without quotes and line ends', delimiter);
    }
    return { ...completeMapping(mapping, path), delimiter, quotes, encoding };
  },

  load(options, context) {
    const { delimiter, quotes, encoding } = options;
    return loadMapped(options, context, ({ path, header }, columns, within, visit) =>
      readTable(
        path,
        { delimiter, quotes, encoding, ...(header === undefined ? {} : { header }) },
        columns.map(({ name }) => name),
        within,
        visit,
      ),
    );
  },
};

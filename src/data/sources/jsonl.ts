import { NighError, reasonOf } from '../../core/errors.js';
import { isPlainObject, joinPath } from '../../core/params.js';
import { completeMapping, type MappedOptions, mappedSchema } from './column-mapping.js';
import { loadMapped, type RecordReader } from './load-mapped.js';
import { readLines } from './read-lines.js';
import { missingColumn } from './record-values.js';
import { type DatasetSource, readSourceOptions } from './source.js';

/**
 * As `csv`, but every line is a JSON object, and columns are its keys: ids are texts or numbers, tags are arrays of texts (or texts with
 * a separator). A record may lack an attribute; a key that no record has is a MISSING_COLUMN.
 */
export const jsonlSource: DatasetSource<MappedOptions> = {
  name: 'jsonl',

  parse(options, path) {
    const parsed = completeMapping(readSourceOptions(mappedSchema, options, path), path);
    for (const key of ['items', 'interactions'] as const) {
      if (parsed[key]?.header === undefined) continue;
      throw new NighError(
        'UNKNOWN_OPTION',
        `${joinPath(path, `${key}.header`)}: JSONL records name their columns themselves.`,
      );
    }
    return parsed;
  },

  load(options, context) {
    return loadMapped(options, context, readJsonRecords);
  },
};

const readJsonRecords: RecordReader = async ({ path }, columns, context, visit) => {
  const unseen = new Set(columns.map(({ name }) => name));
  let firstKeys: string[] | undefined;
  await readLines(path, 'utf-8', context, (text, line) => {
    if (text.trim() === '') return;
    const record = parseRecord(text, path, line);
    if (firstKeys === undefined) {
      firstKeys = Object.keys(record);
      const missing = columns.find(({ name, required }) => required && !Object.hasOwn(record, name));
      if (missing !== undefined) throw missingColumn(path, missing.name, firstKeys);
    }
    const cells = columns.map(({ name }) => {
      if (!Object.hasOwn(record, name)) return undefined;
      unseen.delete(name);
      return record[name];
    });
    visit(cells, line);
  });
  const [missing] = unseen;
  if (missing !== undefined && firstKeys !== undefined) throw missingColumn(path, missing, firstKeys);
};

function parseRecord(text: string, path: string, line: number): Record<string, unknown> {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    throw new NighError('INVALID_RECORD', `${path}:${line}: not valid JSON (${reasonOf(error)}).`, { cause: error });
  }
  if (!isPlainObject(record))
    throw new NighError('INVALID_RECORD', `${path}:${line}: expected a JSON object on each line.`);
  return record;
}

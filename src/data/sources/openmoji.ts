import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { NighError } from '../../core/errors.js';
import { flag, isPlainObject, optional, text } from '../../core/params.js';
import { DatasetBuilder } from '../dataset-builder.js';
import { fetchDataset } from '../fetch/locate.js';
import { namedDataset } from '../fetch/named-datasets.js';
import { openmojiPictures } from './openmoji-pictures.js';
import { readEntry, readTarball } from './read-tarball.js';
import { cleanTags } from './record-values.js';
import { type DatasetSource, readSourceOptions } from './source.js';

/** `{ "source": "openmoji" }` */
export interface OpenmojiOptions {
  /** A tarball of the npm package openmoji, relative to the recipe. Default: the pinned release, fetched. */
  readonly path: string | undefined;
  /** Whether keywords are users: each tag is somebody who picked the emoji that bear it. Default false: there are items only. */
  readonly keywords: boolean;
}

const catalogue = 'package/data/openmoji.json';

/** The keys of a record that are read, all of them texts, and empty where unknown. */
const keys = ['hexcode', 'annotation', 'emoji', 'group', 'subgroups', 'tags', 'openmoji_tags'] as const;
type EmojiRecord = Readonly<Record<(typeof keys)[number], string>>;

/**
 * The OpenMoji catalogue: items, and where asked for their keywords as users, with the value 1. Ids are hexcodes (`1F600`, also the names of the pictures: see `openmojiPicture`), titles are
 * annotations (`grinning face`). Columns: `emoji` (text, the characters themselves), `group`, `subgroup` (text), `tags` (tags: Unicode's
 * and OpenMoji's own).
 */
export const openmojiSource: DatasetSource<OpenmojiOptions> = {
  name: 'openmoji',

  parse(options, path) {
    return readSourceOptions({ path: optional(text()), keywords: flag({ default: false }) }, options, path);
  },

  async load({ path, keywords }, context) {
    const { licence, source } = namedDataset('openmoji');
    const tarball =
      path === undefined ? (await fetchDataset('openmoji', context)).path : resolve(context.baseDirectory, path);
    let json: Buffer | undefined;
    await readTarball(createReadStream(tarball), tarball, context.signal, async (file) => {
      if (file.header.name === catalogue) json = await readEntry(file);
    });
    if (json === undefined) throw new NighError('FORMAT', `${tarball}: expected ${catalogue} inside.`);

    const columns = { emoji: 'text', group: 'text', subgroup: 'text', tags: 'tags' } as const;
    const builder = new DatasetBuilder({ name: 'openmoji', licence, source }, { columns });
    for (const record of parseCatalogue(json, `${tarball}, ${catalogue}`)) {
      const tags = cleanTags(`${record.tags},${record.openmoji_tags}`.split(','));
      const { hexcode, annotation, emoji, group, subgroups: subgroup } = record;
      builder.addItem(hexcode, annotation, { emoji, group, subgroup, tags });
      if (keywords) for (const tag of tags ?? []) builder.addInteraction(tag, hexcode, 1);
    }
    const dataset = builder.build();
    // A tarball of one's own is read for its catalogue; the pictures are those of the pinned release.
    return path === undefined ? { ...dataset, pictures: openmojiPictures(context) } : dataset;
  },
};

function parseCatalogue(json: Buffer, place: string): EmojiRecord[] {
  let records: unknown;
  try {
    records = JSON.parse(json.toString());
  } catch (error) {
    throw new NighError('INVALID_RECORD', `${place}: not valid JSON.`, { cause: error });
  }
  if (!Array.isArray(records)) throw new NighError('INVALID_RECORD', `${place}: expected an array.`);
  for (const [at, record] of records.entries()) {
    const missing = keys.find((key) => !isPlainObject(record) || typeof record[key] !== 'string');
    if (missing !== undefined)
      throw new NighError('INVALID_RECORD', `${place}: record ${at}: ${missing} should be a text.`);
  }
  return records as EmojiRecord[];
}

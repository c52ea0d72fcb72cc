import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { describe, NighError } from '../../core/errors.js';
import { optional, text } from '../../core/params.js';
import { DatasetBuilder } from '../dataset-builder.js';
import { fetchDataset } from '../fetch/locate.js';
import { namedDataset } from '../fetch/named-datasets.js';
import { ByteMeter, metered } from '../load-context.js';
import { readEntry, readTarball } from './read-tarball.js';
import { type DatasetSource, readSourceOptions } from './source.js';

/** `{ "source": "npm-dependents" }` */
export interface NpmDependentsOptions {
  /** A tarball of the npm package dependent-packages, relative to the recipe. Default: the pinned release, fetched. */
  readonly path: string | undefined;
}

/** The tarball of tarballs: one JSON array of dependents for every package, named after it. */
const innerArchive = 'package/dependents.tgz';
const entryName = /^dependents\/(.*)\.json$/s;

/**
 * The npm dependency graph: items are packages, users are the packages that list them in their `dependencies`, the value is 1. Ids and
 * titles are package names, as odd as they are (`JQuery UI`, `yargs ` with a space; the package whose name is empty gets a title
 * that says so). Column `dependents` (number): how many packages list it. The tarball's own `counts.json` is not read: it is from an
 * older crawl (3,377 dependents of express, where the graph has 11,491).
 */
export const npmDependentsSource: DatasetSource<NpmDependentsOptions> = {
  name: 'npm-dependents',

  parse(options, path) {
    return readSourceOptions({ path: optional(text()) }, options, path);
  },

  async load({ path }, context) {
    const { licence, source } = namedDataset('dependent-packages');
    const tarball =
      path === undefined
        ? (await fetchDataset('dependent-packages', context)).path
        : resolve(context.baseDirectory, path);
    const builder = new DatasetBuilder(
      { name: 'npm-dependents', licence, source },
      { columns: { dependents: 'number' } },
    );
    const dependents = new Map<string, number>();
    await readTarball(createReadStream(tarball), tarball, context.signal, async (file) => {
      if (file.header.name !== innerArchive) return;
      const meter = new ByteMeter(context, 'read', tarball, file.header.size);
      await readTarball(metered(file, meter), `${tarball}, ${innerArchive}`, context.signal, async (entry) => {
        const name = entryName.exec(entry.header.name)?.[1];
        if (name === undefined) return;
        const item = builder.itemOrdinal(name);
        const users = parseNames(await readEntry(entry), `${tarball}, ${entry.header.name}`);
        for (const user of users) builder.addInteractionAt(builder.userOrdinal(user), item, 1);
        dependents.set(name, users.length);
      });
      meter.finish();
    });
    if (dependents.size === 0)
      throw new NighError('FORMAT', `${tarball}: expected ${innerArchive} with packages inside.`);
    for (const [name, count] of dependents) {
      builder.addItem(name, name.trim() === '' ? '(package without a name)' : name, { dependents: count });
    }
    return builder.build();
  },
};

function parseNames(json: Buffer, place: string): readonly string[] {
  let value: unknown;
  try {
    value = JSON.parse(json.toString());
  } catch (error) {
    throw new NighError('INVALID_RECORD', `${place}: not valid JSON.`, { cause: error });
  }
  const wrong = Array.isArray(value) ? value.find((name) => typeof name !== 'string') : value;
  if (!Array.isArray(value) || wrong !== undefined) {
    throw new NighError('INVALID_RECORD', `${place}: expected an array of package names, got ${describe(wrong)}.`);
  }
  return value;
}

/** What a space of a generation was made of: kept in the manifest, so that the next build can tell whether it would come out the same. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ownPackage } from '../../core/package-root.js';
import { isPlainObject } from '../../core/params.js';
import { isBuiltIn } from '../../embeddings/registry.js';
import type { FileStamp } from '../packed-file.js';
import { stampFile } from '../packed-file.js';
import type { Recipe, SpaceRecipe } from '../recipe.js';

export interface SpaceRecord {
  /** The release, and what the recipe says of the space, with the digests of files that it names: by what is compared. */
  readonly made: Readonly<Record<string, string>>;
  /** The parts of the dataset that the fit read. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The space's files as they were written: if they were changed since, the record does not speak of them. */
  readonly files: Readonly<Record<string, string>>;
}

/** What a generation was made of. */
export interface BuildRecord {
  /** Of all that is kept of the dataset. */
  readonly dataset: string;
  /** Of the recipe's text. */
  readonly recipe: string;
  /** Of the files that belong to no space. */
  readonly files: Readonly<Record<string, string>>;
  readonly spaces: Readonly<Record<string, SpaceRecord>>;
}

/** @throws NighError IO */
export async function madeOf(recipe: Recipe, { name, embedding }: SpaceRecipe): Promise<Record<string, string>> {
  const text = JSON.stringify(spacesOf(recipe)[name]);
  const made: Record<string, string> = { release: ownPackage().version, recipe: digest(text) };
  // Whether another program's embedding is still the same cannot be told.
  if (!isBuiltIn(embedding)) made.embedding = `of this program, ${Date.now()}`;
  for (const path of filesNamed(spacesOf(recipe)[name], recipe.baseDirectory)) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true) made[`file ${path}`] = (await stampFile(path)).sha256;
  }
  return made;
}

export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function spacesOf({ json }: Recipe): Record<string, unknown> {
  const value: unknown = JSON.parse(json);
  return isPlainObject(value) && isPlainObject(value.spaces) ? value.spaces : {};
}

/** Every text of the space's parameters as if it were a path: what is none names no file. */
function filesNamed(value: unknown, directory: string): string[] {
  if (typeof value === 'string') return value === '' || value.includes('\0') ? [] : [resolve(directory, value)];
  if (Array.isArray(value)) return value.flatMap((each) => filesNamed(each, directory));
  return isPlainObject(value) ? Object.values(value).flatMap((each) => filesNamed(each, directory)) : [];
}

/** The checksums of some files. */
export function sumsOf(
  files: Readonly<Record<string, FileStamp>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(names.flatMap((name) => (files[name] === undefined ? [] : [[name, files[name].sha256]])));
}
